"""Which disc an image is, by its SHA-1. A first look at its header is `envs.dolphin.build.check_iso`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

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
_PIECE_BYTES: Final = 1 << 22


def sha1(image: Path, advance: Callable[[int], object] = lambda _: None) -> str:
    """SHA-1 of an image, in hexadecimal; `advance` is told the bytes of each piece. Raises OSError."""
    digest = hashlib.sha1(usedforsecurity=False)
    with image.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            advance(len(piece))
    return digest.hexdigest()
