"""Which disc an image is: by the header of the disc in it, packed or not, and by its SHA-1."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

GOOD: Final = {
    "d4e70c064cc714ba8400a849cf299dbd1aa326fc": "NTSC-U 1.02",
    "6e83240872d47cd080a28dea7b8907140c44bef5": "NTSC-U 1.02, NKit",
    "3bf23f7c87caadfc983954eb8c6cf2823fa8713b": "NTSC-U 1.02, GCZ",
    "2a2a5d42b0d4f8773e313c29ab0df095392f20d4": "NTSC-U 1.02, CISO",
    "e63d50e63a0cdd357f867342d542e7cec0c3a7c7": "NTSC-U 1.02, scrubbed",
    "55109bc139b947c8b96b5fc913fbd91245104db8": "NTSC-U 1.02, scrubbed",
    "2ce0ccfc8c31eafe2ff354fe03ac2dd94c20b937": "NTSC-U 1.02, scrubbed",
    "49a04772e0a5d1974a4b1c8a7c0d1d71184f3978": "NTSC-U 1.02, scrubbed",
}
"""Images that the Slippi launcher accepts (project-slippi/slippi-launcher, src/main/verifyIso.ts). The first is the
whole disc, as Redump lists it too."""
WRONG: Final = {
    "5ab1553a941307bb949020fd582b68aabebecb30": "NTSC-U 1.00",
    "c89cb9b694f0f26ee07a6ee0a3633ba579e5fa12": "NTSC-U 1.00, scrubbed",
    "5ecab83cd72c0ff515d750280f92713f19fa46f1": "NTSC-U 1.01",
    "2f0bed5e1d92ebb187840c6e1a2f368ce35f6816": "20XX 3.02",
    "7f6926f2f35940f5f697eb449c9f3fbd3639dd45": "20XX 4.07++",
    "49fd53b0a5eb0da9215846cd653ccc4c3548ec69": "20XX 4.07++ UCF",
    "4521c1753b0c9d5c747264fce63e84b832bd80a1": "Training Mode 1.1",
}
"""Images that it refuses."""
DISC_BYTES: Final = 1_459_978_240
"""Of the whole disc."""
HEAD_BYTES: Final = 8
"""Game id (6), number of the disc, revision."""
_PIECE_BYTES: Final = 1 << 22
_GCZ: Final = b"\x01\xc0\x0b\xb1"
_GCZ_STORED: Final = 1 << 63
_GCZ_ENOUGH: Final = 4096
"""Compressed bytes that hold the first ones of a block."""
_HEAD_AT: Final = {b"CISO": 0x8000, b"RVZ\x01": 0x58, b"WIA\x01": 0x58}
"""Where packed images keep the disc's first bytes as they are: CISO in its first block, WIA and RVZ in their own header
(Dolphin, docs/WiaAndRvz.md: wia_disc_t.dhead)."""


def head(image: Path) -> bytes:
    """First 8 bytes of the disc in an image; fewer where it is cut, none if it cannot be unpacked. Raises OSError."""
    with image.open("rb") as file:
        kind = file.read(4)
        if kind == _GCZ:
            return _gcz_head(file)
        file.seek(_HEAD_AT.get(kind, 0))
        return file.read(HEAD_BYTES)


def is_packed(image: Path) -> bool:
    """Whether an image is compressed: then its hash depends on how. Raises OSError."""
    with image.open("rb") as file:
        return file.read(4) in (_GCZ, *_HEAD_AT)


def _gcz_head(file: BinaryIO) -> bytes:
    """Of a GCZ image: the beginning of its first block (Dolphin, DiscIO/CompressedBlob.h)."""
    file.seek(0)
    try:
        *_, blocks, first = struct.unpack("<IIQQIIQ", file.read(40))
        file.seek(32 + 12 * blocks + (first & ~_GCZ_STORED))
        data = file.read(_GCZ_ENOUGH)
        return data[:HEAD_BYTES] if first & _GCZ_STORED else zlib.decompressobj().decompress(data, HEAD_BYTES)
    except (struct.error, zlib.error, OverflowError):
        return b""


def sha1(image: Path, advance: Callable[[int], object] = lambda _: None) -> str:
    """SHA-1 of an image, in hexadecimal; `advance` is told the bytes of each piece. Raises OSError."""
    digest = hashlib.sha1(usedforsecurity=False)
    with image.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            advance(len(piece))
    return digest.hexdigest()
