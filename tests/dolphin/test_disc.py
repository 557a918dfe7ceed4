"""Which disc an image holds, in each way that Dolphin can pack one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.dolphin.build import check_iso
from envs.dolphin.disc import is_packed
from envs.dolphin.errors import DolphinSetupError

BLOCK = 1 << 14


def plain(disc: bytes) -> bytes:
    return disc


def ciso(disc: bytes) -> bytes:
    """A header of 32 KiB, of which only the beginning means anything here; then the blocks."""
    return (b"CISO" + struct.pack("<I", BLOCK) + b"\1").ljust(0x8000, b"\0") + disc


def rvz(disc: bytes) -> bytes:
    """The disc's first 128 bytes behind four numbers of the second header."""
    return b"RVZ\x01".ljust(0x48, b"\0") + struct.pack(">IIiI", 1, 5, 5, 0x20000) + disc[:0x80]


def gcz(disc: bytes, stored: bool = False) -> bytes:
    """Two blocks, the first of them packed unless it is `stored`."""
    blocks = [disc[:BLOCK] if stored else zlib.compress(disc[:BLOCK]), zlib.compress(bytes(BLOCK))]
    pointers = [(1 << 63) * stored, len(blocks[0])]
    head = struct.pack("<IIQQII", 0xB10BC001, 0, sum(map(len, blocks)), 2 * BLOCK, BLOCK, len(blocks))
    return head + struct.pack("<2Q", *pointers) + bytes(8) + b"".join(blocks)


def gcz_stored(disc: bytes) -> bytes:
    return gcz(disc, stored=True)


@pytest.mark.parametrize("packed", [plain, ciso, rvz, gcz, gcz_stored])
def test_the_disc_in_an_image_is_known_however_it_is_packed(packed: Callable[[bytes], bytes], tmp_path: Path):
    image = tmp_path / "image"
    image.write_bytes(packed((b"GALE01\x00\x02" + bytes(range(256))).ljust(BLOCK, b"x")))
    assert check_iso(image) == image
    assert is_packed(image) == (packed is not plain)
    for head, message in ((b"GALE01\x00\x01", "Melee 1.01"), (b"GMSE01\x00\x02", "no ISO of Melee")):
        image.write_bytes(packed(head.ljust(BLOCK, b"x")))
        with pytest.raises(DolphinSetupError, match=message):
            check_iso(image)
    image.write_bytes(image.read_bytes()[:10])  # a broken download
    with pytest.raises(DolphinSetupError):
        check_iso(image)
