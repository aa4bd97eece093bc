"""Asking for files, having them made, and looking at what lies in the house."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from apps.core import outgoing
from apps.sharing import operations as sharing
from apps.sharing.gateway.files import making
from apps.sharing.models import Export


def asked(client: Client, address: str, form: str = "csv", **more: Any) -> dict[str, Any]:
    """Ask for a file; its answer."""
    query = "&".join([f"format={form}", *(f"{name}={value}" for name, value in more.items())])
    answer = client.post(f"{address}/exports?{query}")
    assert answer.status_code == 202, answer.content
    body: dict[str, Any] = answer.json()
    return body


def made(client: Client, address: str, at: datetime, form: str = "csv", **more: Any) -> Export:
    """Ask for a file and have it made."""
    number = asked(client, address, form, **more)["id"]
    sharing.make_exports(at=at)
    return Export.objects.get(pk=number)


def fetched(client: Client, address: str, export: Export, **headers: str) -> Any:
    return client.get(f"{address}/exports/{export.pk}/file", headers=headers)


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def files_in_house() -> list[str]:
    return outgoing.names_older_than(float("inf"))


def after_a_chunk(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], rows: int = 1
) -> None:
    """Let chunks be of so many rows, and something happen after the first of them."""
    monkeypatch.setattr(making, "CHUNK_ROWS", rows)
    real, seen = making._chunk, 0

    def chunk(work: Any) -> None:
        nonlocal seen
        real(work)
        seen += 1
        if seen == 1:
            act()

    monkeypatch.setattr(making, "_chunk", chunk)
