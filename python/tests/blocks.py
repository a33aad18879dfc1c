"""Blocks of recordings."""

from __future__ import annotations

import struct
import zlib


def sealed(recording: bytes) -> bytes:
    """Returns a changed recording with valid checksums of its blocks."""
    changed = bytearray(recording)
    at = 12
    while at < len(changed):
        (length,) = struct.unpack_from("<I", changed, at)
        content = changed[at : at + 4] + changed[at + 8 : at + 8 + length]
        struct.pack_into("<I", changed, at + 4, zlib.crc32(content))
        at += 8 + length
    return bytes(changed)
