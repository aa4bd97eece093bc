"""The mark from which the next page begins: signed, and good for one version of one grant."""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from apps.sharing.gateway.refusals import CursorInvalid, ResyncRequired

_LAYOUT = struct.Struct(">QQIq")  # dataset, grant, version, last _id
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
        return base64.urlsafe_b64encode(packed + _seal(packed)).decode().rstrip("=")


def read(text: str, *, dataset_id: int, grant_id: int, version: int) -> Cursor:
    """Return what the caller's cursor says.

    Raises:
        CursorInvalid: not one of ours, altered, or of another dataset.
        ResyncRequired: of an earlier version of the grant, or of a grant before this one.
    """
    cursor = _unpack(text)
    if cursor.dataset_id != dataset_id:
        raise CursorInvalid
    if (cursor.grant_id, cursor.version) != (grant_id, version):
        raise ResyncRequired(version=version)
    return cursor


def _unpack(text: str) -> Cursor:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    packed, seal = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
    if len(packed) != _LAYOUT.size or not hmac.compare_digest(seal, _seal(packed)):
        raise CursorInvalid
    return Cursor(*_LAYOUT.unpack(packed))


def _seal(packed: bytes) -> bytes:
    digest = salted_hmac("huiliu.gateway.cursor", packed, algorithm="sha256").digest()
    return digest[:_SEAL_BYTES]
