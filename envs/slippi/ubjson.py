"""The container of a .slp file: UBJSON with one byte array `raw` and one object `metadata`.

Integers are written as int32 and strings with one byte of length: peppi accepts nothing else in metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | Mapping[str, Value]"

RAW_MAGIC: Final = b"{U\x03raw[$U#l"
"""First bytes of every .slp file: an object whose key `raw` holds uint8s; their 32-bit count follows."""
LENGTH_AT: Final = len(RAW_MAGIC)
RAW_START: Final = LENGTH_AT + 4


def head(raw_length: int) -> bytes:
    """First bytes of a file; a length of 0 means: still being written."""
    return RAW_MAGIC + raw_length.to_bytes(4, "big")


def tail(metadata: Mapping[str, Value]) -> bytes:
    """What follows the raw bytes."""
    return _key("metadata") + _value(metadata) + b"}"


def _key(text: str) -> bytes:
    data = text.encode()[:255].decode(errors="ignore").encode()  # cut to what one byte of length allows
    return b"U" + len(data).to_bytes(1, "big") + data


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return b"S" + _key(value)
    if isinstance(value, int):
        return b"l" + value.to_bytes(4, "big", signed=True)
    return b"{" + b"".join(_key(k) + _value(v) for k, v in value.items()) + b"}"
