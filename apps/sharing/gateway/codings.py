"""Answers packed for the way: `Content-Encoding` gzip or zstd, where the caller says he takes it.

Packed fast rather than small: most of what there is to gain is gained at once. A stream
is packed block by block, so that what was read can be read at once, its last words too when it is
broken off.

Source: RFC 9110 §8.4, §12.5.3; house rule (issue 5: gzip and zstd)
"""

import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, Final, Protocol

import zstandard

GZIP: Final = "gzip"
ZSTD: Final = "zstd"
KNOWN: Final = (ZSTD, GZIP)
"""Of those that a caller takes alike, the first one is used."""

WORTH_BYTES: Final = 1400
"""Less travels in one packet, packed or not."""

_GZIP_LEVEL: Final = 1
_ZSTD_LEVEL: Final = 1
_GZIP_FRAME: Final = 31  # zlib's number for the frame of gzip


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


def chosen(accepted: str) -> str:
    """Return the coding for an `Accept-Encoding`; "" for as it is."""
    weights = dict(map(_weighed, filter(None, accepted.split(","))))
    fitting = [(weights.get(name, weights.get("*", 0.0)), name) for name in KNOWN]
    weight, name = max(fitting, key=lambda each: each[0])
    return name if weight > 0 else ""


def whole(body: bytes, coding: str) -> bytes:
    """Return a body packed."""
    if coding == ZSTD:
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    return zlib.compress(body, _GZIP_LEVEL, _GZIP_FRAME)


def flowing(blocks: Generator[bytes], coding: str) -> Iterator[bytes]:
    """Pack a stream; what breaks off stays without its end, so that nobody takes it for whole."""
    packer, between, last = _packer(coding)
    with closing(blocks):
        for block in blocks:
            yield packer.compress(block) + packer.flush(between)
    yield packer.flush(last)


def _packer(coding: str) -> tuple[_Packer, int, int]:
    """Return who packs, how it is flushed between blocks, and how at the end."""
    if coding == ZSTD:
        flushes = zstandard.COMPRESSOBJ_FLUSH_BLOCK, zstandard.COMPRESSOBJ_FLUSH_FINISH
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj(), *flushes
    packer: Any = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FRAME)
    return packer, zlib.Z_SYNC_FLUSH, zlib.Z_FINISH


def _weighed(part: str) -> tuple[str, float]:
    """Return a coding and how welcome it is, from 0 to 1; what cannot be read is not."""
    name, _semicolon, rest = part.strip().lower().partition(";")
    if not rest:
        return name, 1.0
    key, _equals, value = rest.replace(" ", "").partition("=")
    try:
        return name.strip(), float(value) if key == "q" else 0.0
    except ValueError:
        return name.strip(), 0.0
