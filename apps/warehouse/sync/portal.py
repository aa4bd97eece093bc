"""The portal as a front node sees it: a token, resumable uploads, batches, a heartbeat.

Only the standard library, and only connections from here to there.
"""

import base64
import hashlib
import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PART_BYTES = 8 << 20
ATTEMPTS = 6
SILENCE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 60.0
RETRIED = (408, 425, 429, 500, 502, 503, 504)


class PortalRefused(Exception):
    """The portal said no; `code` is stable, the words are for people."""

    def __init__(self, status: int, code: str, words: str, facts: dict[str, Any]) -> None:
        super().__init__(words)
        self.status, self.code, self.facts = status, code, facts

    @property
    def is_of_the_moment(self) -> bool:
        """Whether the same may be taken later: the portal rests, or the credential is in doubt."""
        return self.status == 401 or self.status in RETRIED or 300 <= self.status < 400


class PortalUnreachable(Exception):
    """The portal did not answer, however often it was asked."""


class _Garbled(OSError):
    """What came is no answer of a portal: it broke off, or somebody between us gave it."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A token is for the portal that was named; to follow would show it to any other place."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


@dataclass
class Portal:
    """One portal and one system's credential. wait: how to sleep; tests do something else."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    ca_file: str = ""
    wait: Callable[[float], None] = time.sleep
    _token: str = field(default="", repr=False)

    def send(self, path: Path, terms: dict[str, Any], key: str) -> int:
        """Send a file in parts, from where it stopped before; return the number of its batch.

        terms: dataset, mode, rows. The same key sends the same file once, whatever breaks.

        Raises:
            PortalRefused, PortalUnreachable.
        """
        size = path.stat().st_size
        upload = self._json(
            "POST",
            "/api/v1/uploads",
            {
                "dataset": terms["dataset"],
                "file_name": terms.get("file_name", path.name),
                "size_bytes": size,
                "mode": terms.get("mode", "upsert"),
                "declared": terms.get("rows"),
                "fingerprint": key,
                "idempotency_key": key,
            },
        )
        place = f"/api/v1/uploads/{upload['id']}"
        with path.open("rb") as file:
            while upload["received_bytes"] < size:
                upload = self._part(place, file, upload["received_bytes"])
        return int(self._json("POST", f"{place}/finish", None)["id"])

    def outcome(self, batch: int, *, every_seconds: float = 2.0) -> dict[str, Any]:
        """Wait until a batch is over and return it with its balance."""
        while True:
            found = self._json("GET", f"/api/v1/batches/{batch}", None)
            if found["is_finished"]:
                return found
            self.wait(every_seconds)

    def get(self, place: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Read one answer.

        Raises:
            PortalRefused, PortalUnreachable.
        """
        return self._json("GET", f"{place}?{urlencode(parameters)}" if parameters else place, None)

    def heartbeat(self, report: dict[str, Any]) -> None:
        """Tell the portal that this node lives, and how its jobs stand."""
        self._json("POST", "/api/v1/front-nodes/heartbeat", report)

    def _part(self, place: str, file: Any, offset: int) -> dict[str, Any]:
        file.seek(offset)
        block = file.read(PART_BYTES)
        digest = base64.b64encode(hashlib.sha256(block).digest()).decode()
        headers = {
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
            "Content-Digest": f"sha-256=:{digest}:",
        }
        try:
            return self._ask("PATCH", place, block, headers)
        except PortalRefused as refusal:
            if refusal.code != "offset_mismatch":
                raise
            return {"received_bytes": int(refusal.facts["received_bytes"])}

    def _json(self, method: str, place: str, body: Any) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        return self._ask(method, place, content, {"Content-Type": "application/json"})

    def _ask(
        self, method: str, place: str, body: bytes | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._token = self._token or self._draw_token()
                return self._call(method, place, body, headers)
            except PortalRefused as refusal:
                if refusal.status == 401 and not renewed:
                    self._token, renewed = "", True
                    continue
                if refusal.status not in RETRIED and refusal.code not in (
                    "upload_incomplete",
                    "digest_mismatch",
                    "batch_in_flight",
                ):
                    raise
                told = float(refusal.facts.get("retry_after", 0))
                if told > LONGEST_PAUSE_SECONDS:
                    raise  # a quota of the day, a planned stop: better told than waited for
                last: Exception = refusal
            except OSError as error:
                last, told = error, 0.0
            if attempt < ATTEMPTS:
                usual = min(LONGEST_PAUSE_SECONDS, 2.0**attempt) * (0.5 + random.random() / 2)  # noqa: S311
                self.wait(max(told, usual))
        raise PortalUnreachable(f"{method} {place}: {last}")

    def _draw_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        answer = self._open(
            urllib.request.Request(  # noqa: S310 (the operator's own portal)
                f"{self.url}/oauth/token", data=urlencode(form).encode(), method="POST"
            )
        )
        return str(answer["access_token"])

    def _call(
        self, method: str, place: str, body: bytes | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        return self._open(
            urllib.request.Request(  # noqa: S310
                self.url + place,
                data=body if body is not None or method == "GET" else b"",
                method=method,
                headers={**headers, "Authorization": f"Bearer {self._token}"},
            )
        )

    def _open(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            return self._answer(request)
        except (http.client.HTTPException, ValueError) as error:
            raise _Garbled(f"{type(error).__name__}: {error}") from error

    def _answer(self, request: urllib.request.Request) -> dict[str, Any]:
        handlers: list[urllib.request.BaseHandler] = [_StayHere()]
        if request.full_url.startswith("https:"):
            trusted = ssl.create_default_context(cafile=self.ca_file or None)
            handlers.append(urllib.request.HTTPSHandler(context=trusted))
        opener = urllib.request.build_opener(*handlers)
        try:
            with opener.open(request, timeout=SILENCE_SECONDS) as it:
                found = json.load(it)
        except urllib.error.HTTPError as error:
            with error:
                wait = error.headers.get("Retry-After", "")
                raise _refusal(error.code, error.read(), wait) from None
        if not isinstance(found, dict):
            raise ValueError(type(found).__name__)  # noqa: TRY004 (as JSON that cannot be read)
        return found


# OAuth names its errors and leaves the words to the reader (RFC 6749 §5.2).
_OAUTH_WORDS = {
    "invalid_client": "调用凭证无效、已过期、已吊销或者已停用，核对 client_id 和密钥",
}


def _refusal(status: int, body: bytes, wait: str = "") -> PortalRefused:
    try:
        facts = json.loads(body)
        if not isinstance(facts, dict):
            raise TypeError
    except (ValueError, TypeError):
        facts = {}
    if wait.isdigit():
        facts["retry_after"] = int(wait)
    code = str(facts.get("code") or facts.get("error") or "")
    told = facts.get("detail") or facts.get("error_description") or _OAUTH_WORDS.get(code)
    words = str(told or f"HTTP {status}")
    return PortalRefused(status, code, words, facts)
