"""The mark from which the next page begins: signed, and good for one version of one grant.

A page goes on from an `_id`, a feed of changes from a batch and an `_id` below a horizon, a
forwarded page from a place among a service's records; none passes for another. One of invented
rows and one of real rows are sealed apart.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass, field

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.sharing.gateway.refusals import CursorInvalid, ResyncRequired

_LAYOUT = struct.Struct(">QQIq")  # dataset, grant, version, last _id
_FEED_LAYOUT = struct.Struct(">QQII5q")  # as in FeedCursor
_FORWARDED_LAYOUT = struct.Struct(">QQIQIq")  # as in ForwardedCursor
_SALT = "huiliu.gateway.cursor"
_FEED_SALT = "huiliu.gateway.feed"
_FORWARDED_SALT = "huiliu.gateway.forwarded"
_SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to `last_id` was read under this version of this grant."""

    dataset_id: int
    grant_id: int
    version: int
    last_id: int
    is_trial: bool = field(default=False, kw_only=True)

    def write(self) -> str:
        packed = _LAYOUT.pack(self.dataset_id, self.grant_id, self.version, self.last_id)
        return _written(packed, _salted(_SALT, is_trial=self.is_trial))


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
    is_trial: bool = field(default=False, kw_only=True)

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
        return _written(packed, _salted(_FEED_SALT, is_trial=self.is_trial))


@dataclass(frozen=True, slots=True)
class ForwardedCursor:
    """The first `start` records of a provider's service were gone through, in this revision of it.

    No page of invented rows comes from a service, so it is of production always.
    """

    dataset_id: int
    grant_id: int
    version: int
    interface_id: int
    revision: int
    start: int

    def write(self) -> str:
        packed = _FORWARDED_LAYOUT.pack(
            self.dataset_id,
            self.grant_id,
            self.version,
            self.interface_id,
            self.revision,
            self.start,
        )
        return _written(packed, _salted(_FORWARDED_SALT, is_trial=False))


def read(text: str, *, dataset_id: int, grant_id: int, version: int, is_trial: bool) -> Cursor:
    """Return what the caller's cursor says.

    Raises:
        CursorInvalid: not one of ours, altered, or of another dataset.
        ResyncRequired: of an earlier version of the grant, or of a grant before this one; or drawn
            with a credential of the other environment.
    """
    parts = _unpack(text, _LAYOUT, _SALT, version=version, is_trial=is_trial)
    cursor = Cursor(*parts, is_trial=is_trial)
    _require_same(cursor, dataset_id, grant_id, version)
    return cursor


def read_feed(
    text: str, *, dataset_id: int, grant_id: int, version: int, is_trial: bool
) -> FeedCursor:
    """Return what the caller's cursor of a feed says; raises as `read`."""
    parts = _unpack(text, _FEED_LAYOUT, _FEED_SALT, version=version, is_trial=is_trial)
    cursor = FeedCursor(*parts, is_trial=is_trial)
    _require_same(cursor, dataset_id, grant_id, version)
    return cursor


def read_forwarded(
    text: str, *, dataset_id: int, grant_id: int, version: int, interface_id: int, revision: int
) -> ForwardedCursor:
    """Return what the caller's cursor of a forwarded page says.

    Raises:
        CursorInvalid, ResyncRequired: as `read`; the latter also where the service was changed,
            for another one may order or cut its records otherwise.
    """
    parts = _unpack(text, _FORWARDED_LAYOUT, _FORWARDED_SALT, version=version, is_trial=False)
    cursor = ForwardedCursor(*parts)
    _require_same(cursor, dataset_id, grant_id, version)
    if (cursor.interface_id, cursor.revision) != (interface_id, revision):
        words = _("提供部门的接口有变更，请从第一页重新读取")
        raise ResyncRequired(words, version=version)
    return cursor


def _require_same(
    cursor: Cursor | FeedCursor | ForwardedCursor, dataset_id: int, grant_id: int, version: int
) -> None:
    if cursor.dataset_id != dataset_id:
        raise CursorInvalid
    if (cursor.grant_id, cursor.version) != (grant_id, version):
        raise ResyncRequired(version=version)


def _written(packed: bytes, salt: str) -> str:
    return base64.urlsafe_b64encode(packed + _seal(packed, salt)).decode().rstrip("=")


def _unpack(
    text: str, layout: struct.Struct, salt: str, *, version: int, is_trial: bool
) -> tuple[int, ...]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    packed, seal = raw[: layout.size], raw[layout.size :]
    if len(packed) != layout.size:
        raise CursorInvalid
    if hmac.compare_digest(seal, _seal(packed, _salted(salt, is_trial=is_trial))):
        return layout.unpack(packed)
    if hmac.compare_digest(seal, _seal(packed, _salted(salt, is_trial=not is_trial))):
        # A caller who changes from invented rows to real ones must drop the former, not go on.
        words = _("翻页标记取自另一环境（测试或生产），请清空已取的数据，从头重新读取")
        raise ResyncRequired(words, version=version)
    raise CursorInvalid


def _salted(salt: str, *, is_trial: bool) -> str:
    return f"{salt}.trial" if is_trial else salt


def _seal(packed: bytes, salt: str) -> bytes:
    digest = salted_hmac(salt, packed, algorithm="sha256").digest()
    return digest[:_SEAL_BYTES]
