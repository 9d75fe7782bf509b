"""A picture in a mapped file behind a small header, as it is written by hand again and again: one flag, no lock."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..scenarios import SHAPE, Picture

# Width, height, channels, milliseconds since 1970, and whether the picture is complete; packed.
_HEADER = struct.Struct("<iiiqi")
_SIZE = _HEADER.size + int(np.prod(SHAPE))
_VALID = struct.Struct("<i")
_AT_VALID = _HEADER.size - _VALID.size
_POLL = 0.001


class Frame:
    """The flag is looked at before the picture is copied, and not again: pictures can be torn."""

    def __init__(self, name: str) -> None:
        self._path = Path("/dev/shm") / name

    def close(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)

    def writer(self) -> Callable[[Picture], object]:
        """A new file for each writer: who had the old one mapped sees no more of it."""
        self._path.unlink(missing_ok=True)
        with self._path.open("w+b") as file:
            file.truncate(_SIZE)
            memory = mmap.mmap(file.fileno(), _SIZE)
        place: Picture = np.frombuffer(memory, "uint8", offset=_HEADER.size).reshape(SHAPE)
        height, width, channels = SHAPE

        def write(picture: Picture) -> None:
            _VALID.pack_into(memory, _AT_VALID, 0)
            _HEADER.pack_into(memory, 0, width, height, channels, time.time_ns() // 1_000_000, 0)
            np.copyto(place, picture)
            _VALID.pack_into(memory, _AT_VALID, 1)

        return write

    def reader(self) -> Callable[[Callable[[Picture], float]], float]:
        """Opens and maps the file for each picture, and copies it. Whether it is a new one the time does not say, for
        there are several in a millisecond: the first bytes of the picture do."""
        seen = b""

        def read(look: Callable[[Picture], float]) -> float:
            nonlocal seen
            while True:
                frame = self._frame()
                if frame is not None and frame[: _HEADER.size + 16] != seen:
                    seen = frame[: _HEADER.size + 16]
                    return look(np.frombuffer(frame, "uint8", offset=_HEADER.size).reshape(SHAPE))
                time.sleep(_POLL)

        return read

    def _frame(self) -> bytes | None:
        try:
            file = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            if os.fstat(file).st_size < _SIZE:
                return None
            with mmap.mmap(file, _SIZE, prot=mmap.PROT_READ) as memory:
                *_, valid = _HEADER.unpack_from(memory)
                return memory[:] if valid else None
        finally:
            os.close(file)
