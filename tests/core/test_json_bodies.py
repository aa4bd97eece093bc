"""JSON that no table can hold, or that no stack can bear, is no JSON of ours."""

from io import BytesIO

import pytest
from rest_framework.exceptions import ParseError

from apps.core import json_bodies
from apps.core.api import problem_handler
from apps.core.json_bodies import BodyTooLarge, StrictJSONParser


def test_it_reads_json() -> None:
    assert StrictJSONParser().parse(BytesIO('{"理由": [1, null, "😀"]}'.encode())) == {
        "理由": [1, None, "😀"]
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'"\xff"',
        rb'{"reason": "\ud800"}',
        rb'{"\udfff": 1}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"[NaN]",
        b"[1e400]",
        b"[" + b"9" * 5000 + b"]",
    ],
)
def test_it_refuses_what_is_none(body: bytes) -> None:
    with pytest.raises(ParseError) as refusal:
        StrictJSONParser().parse(BytesIO(body))
    answer = problem_handler(refusal.value, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (400, "parse_error")


def test_it_takes_no_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_bodies, "LARGEST_BODY_BYTES", 10)
    assert StrictJSONParser().parse(BytesIO(b'"12345678"')) == "12345678"
    with pytest.raises(BodyTooLarge):
        StrictJSONParser().parse(BytesIO(b'"123456789"'))
