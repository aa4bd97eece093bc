"""The mark from which the next page begins: signed, and good for one version of one grant.

A page goes on from an `_id`, a feed of changes from a batch and an `_id` below a horizon; neither
passes for the other.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from apps.sharing.gateway.refusals import CursorInvalid, ResyncRequired

_LAYOUT = struct.Struct(">QQIq")  # dataset, grant, version, last _id
_FEED_LAYOUT = struct.Struct(">QQII5q")  # as in FeedCursor
_SALT = "huiliu.gateway.cursor"
_FEED_SALT = "huiliu.gateway.feed"
_SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to `last_id` was read under this version of this grant."""

    dataset_id: int
    grant_id: int
    version: int
    last_id: int

    def write(self) -> str:
        packed = _LAYOUT.pack(self.dataset_id, self.grant_id, self.version, self.last_id)
        return _written(packed, _SALT)


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """How far the changes of a grant were read.

    The caller holds the state after batch `since` (-1: nothing yet) and is being brought to the
    state after batch `horizon`; of the changes between the two he has those up to (`batch`,
    `last_id`). `shape` is how values were written (`shapes.fingerprint_of`). Marks are known as
    they were at `marks_at`, milliseconds of the epoch, negative when no record was marked then.
    """

    dataset_id: int
    grant_id: int
    version: int
    shape: int
    since: int
    horizon: int
    batch: int
    last_id: int
    marks_at: int

    @property
    def is_complete(self) -> bool:
        return self.since == self.horizon

    @property
    def needs_past_after(self) -> int:
        """The batch after which every version that ended must still be kept to go on from here."""
        return self.since if self.since >= 0 else self.horizon

    def write(self) -> str:
        packed = _FEED_LAYOUT.pack(
            self.dataset_id,
            self.grant_id,
            self.version,
            self.shape,
            self.since,
            self.horizon,
            self.batch,
            self.last_id,
            self.marks_at,
        )
        return _written(packed, _FEED_SALT)


def read(text: str, *, dataset_id: int, grant_id: int, version: int) -> Cursor:
    """Return what the caller's cursor says.

    Raises:
        CursorInvalid: not one of ours, altered, or of another dataset.
        ResyncRequired: of an earlier version of the grant, or of a grant before this one.
    """
    cursor = Cursor(*_unpack(text, _LAYOUT, _SALT))
    _require_same(cursor, dataset_id, grant_id, version)
    return cursor


def read_feed(text: str, *, dataset_id: int, grant_id: int, version: int) -> FeedCursor:
    """Return what the caller's cursor of a feed says; raises as `read`."""
    cursor = FeedCursor(*_unpack(text, _FEED_LAYOUT, _FEED_SALT))
    _require_same(cursor, dataset_id, grant_id, version)
    return cursor


def _require_same(
    cursor: Cursor | FeedCursor, dataset_id: int, grant_id: int, version: int
) -> None:
    if cursor.dataset_id != dataset_id:
        raise CursorInvalid
    if (cursor.grant_id, cursor.version) != (grant_id, version):
        raise ResyncRequired(version=version)


def _written(packed: bytes, salt: str) -> str:
    return base64.urlsafe_b64encode(packed + _seal(packed, salt)).decode().rstrip("=")


def _unpack(text: str, layout: struct.Struct, salt: str) -> tuple[int, ...]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    packed, seal = raw[: layout.size], raw[layout.size :]
    if len(packed) != layout.size or not hmac.compare_digest(seal, _seal(packed, salt)):
        raise CursorInvalid
    return layout.unpack(packed)


def _seal(packed: bytes, salt: str) -> bytes:
    digest = salted_hmac(salt, packed, algorithm="sha256").digest()
    return digest[:_SEAL_BYTES]
