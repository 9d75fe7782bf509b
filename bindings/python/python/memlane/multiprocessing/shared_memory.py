"""Blocks of bytes and lists of plain values, shared by name.

As `multiprocessing.shared_memory`, without a resource tracker: what attaches never unlinks, whether it exits
or is killed. A block lasts until somebody unlinks it, also when its maker is killed; `memlane.Raw` without an
id and `SharedMemoryManager` are for blocks that should go by themselves.
"""

from __future__ import annotations

import secrets
import struct
from typing import Any, Callable, Generic, Iterable, Iterator, TypeVar

from .. import _memlane as native
from . import _space

__all__ = ["ShareableList", "SharedMemory"]

_T = TypeVar("_T", int, float, bool, str, bytes, None)


class SharedMemory:
    """A named block of bytes, of exactly the size it was made with, found by the same name in any process.

    `close` may be called twice and never fails: views made before stay good, and keep the memory mapped.
    `unlink` removes the name alone. `track` is taken for the signature's sake, since nothing is tracked.
    Dying changes nothing.
    """

    def __init__(
        self, name: str | None = None, create: bool = False, size: int = 0, *, track: bool = True
    ) -> None:
        if not size >= 0:
            raise ValueError("'size' must be a positive integer")
        if create and size == 0:
            raise ValueError("'size' must be a positive number different from zero")
        if name is None and not create:
            raise ValueError("'name' can only be None if create=True")
        space = native.Space(participants=_space.PARTICIPANTS)
        if create:
            self._native = self._make(space, name, size)
        else:
            self._native = native.Raw(_bare(name), create=False, space=space)
        self._size = self._native.size
        self._buf: memoryview | None = self._native.buf

    @staticmethod
    def _make(space: native.Space, name: str | None, size: int) -> native.Raw:
        while True:
            # Eight random digits are enough as long as a name that is taken is tried no more.
            try:
                id = _bare(name or f"psm_{secrets.token_hex(4)}")
                return native.Raw(id, size, create=True, space=space)
            except FileExistsError:
                if name is not None:
                    raise

    @property
    def name(self) -> str:
        """The name to attach to it by."""
        return self._native.id

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    @property
    def buf(self) -> memoryview:
        """The bytes; None after `close`."""
        # The signature says what users count on, as CPython's does; after `close` there is nothing to be had.
        return self._buf  # type: ignore[return-value]

    def close(self) -> None:
        """Lets the block go, here. Never fails, and may be called again."""
        self._buf = None
        self._native.close()

    def unlink(self) -> None:
        """Removes its name. Whoever has it open goes on. FileNotFoundError when it was removed already."""
        self._native.unlink()

    def __reduce__(self) -> tuple[type[SharedMemory], tuple[str, bool, int]]:
        return type(self), (self.name, False, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, size={self.size})"


def _bare(name: str | None) -> str:
    """POSIX says that a name begins with a slash, and Python that it need not."""
    return (name or "").removeprefix("/")


# The head is the number of items; then comes for each item its kind, the bytes it takes, the bytes there are
# for it, and where they are.
_HEAD = struct.Struct("<Q")
_ENTRY = struct.Struct("<cxxxIII")
_NONE, _BOOL, _INT, _FLOAT, _STR, _BYTES = b"n", b"b", b"i", b"f", b"s", b"y"

_DECODE: dict[bytes, Callable[[bytes], Any]] = {
    _NONE: lambda data: None,
    _BOOL: lambda data: data != b"\0",
    _INT: lambda data: int.from_bytes(data, "little", signed=True),
    _FLOAT: lambda data: struct.unpack("<d", data)[0],
    _STR: lambda data: data.decode("utf-8"),
    _BYTES: lambda data: data,
}

# As `struct` would say it. An item takes at least eight bytes.
_FORMAT: dict[bytes, Callable[[int], str]] = {
    _NONE: lambda room: "xxxxxx?x",
    _BOOL: lambda room: "xxxxxxx?",
    _INT: lambda room: "q",
    _FLOAT: lambda room: "d",
    _STR: lambda room: f"{room}s",
    _BYTES: lambda room: f"{room}s",
}


def _encode(value: Any) -> tuple[bytes, bytes]:
    if value is None:
        return _NONE, b""
    if isinstance(value, bool):
        return _BOOL, bytes([value])
    if isinstance(value, int):
        try:
            return _INT, value.to_bytes(8, "little", signed=True)
        except OverflowError:
            raise ValueError(f"{value} does not fit into 64 bits") from None
    if isinstance(value, float):
        return _FLOAT, struct.pack("<d", value)
    if isinstance(value, str):
        return _STR, value.encode("utf-8")
    if isinstance(value, bytes):
        return _BYTES, value
    kind = type(value).__name__
    raise TypeError(f"a ShareableList holds int, float, bool, str, bytes and None, and no {kind}")


def _room(value: Any, data: bytes) -> int:
    """What an item gets: eight bytes, and text a few more than it has characters, as with `multiprocessing`.
    """
    if not isinstance(value, (str, bytes)):
        return 8
    return max(8 * (len(value) // 8 + 1), (len(data) + 7) // 8 * 8)


class ShareableList(Generic[_T]):
    """A list of int, float, bool, str, bytes and None whose length is fixed, in a `SharedMemory`.

    An item can be replaced by one that takes no more room than the first had: ValueError otherwise. Different
    from `multiprocessing` are: text and bytes come back with the zeros at their end, and the bytes in memory
    are laid out differently. There is no lock in it: who replaces items while others read them has to hold
    one. Killed in the middle of that, a process can leave an item half-changed.
    """

    def __init__(self, sequence: Iterable[_T] | None = None, *, name: str | None = None) -> None:
        if name is not None and sequence is None:
            self.shm = SharedMemory(name)
            return
        values = list(sequence or ())
        encoded = [_encode(value) for value in values]
        rooms = [_room(value, data) for value, (_, data) in zip(values, encoded)]
        offset = _HEAD.size + _ENTRY.size * len(encoded)
        self.shm = SharedMemory(name, create=True, size=offset + sum(rooms))
        memory = self.shm.buf
        for index, ((kind, data), room) in enumerate(zip(encoded, rooms)):
            memory[offset : offset + len(data)] = data
            _ENTRY.pack_into(memory, _HEAD.size + _ENTRY.size * index, kind, len(data), room, offset)
            offset += room
        # Last, so that who attaches too early sees an empty list and not a wrong one.
        _HEAD.pack_into(memory, 0, len(encoded))

    def _entry(self, position: int) -> tuple[int, bytes, int, int, int]:
        length = len(self)
        index = position + length if position < 0 else position
        if not 0 <= index < length:
            raise IndexError("index out of range")
        place = _HEAD.size + _ENTRY.size * index
        kind, size, room, offset = _ENTRY.unpack_from(self.shm.buf, place)
        return place, kind, size, room, offset

    def __getitem__(self, position: int) -> _T:
        _, kind, size, _, offset = self._entry(position)
        value: _T = _DECODE[kind](bytes(self.shm.buf[offset : offset + size]))
        return value

    def __setitem__(self, position: int, value: _T) -> None:
        place, _, _, room, offset = self._entry(position)
        kind, data = _encode(value)
        if len(data) > room:
            raise ValueError(f"an item of {len(data)} bytes exceeds available storage of {room} bytes")
        self.shm.buf[offset : offset + len(data)] = data
        _ENTRY.pack_into(self.shm.buf, place, kind, len(data), room, offset)

    def __len__(self) -> int:
        length: int = _HEAD.unpack_from(self.shm.buf, 0)[0]
        return length

    def __iter__(self) -> Iterator[_T]:
        return (self[index] for index in range(len(self)))

    def __reduce__(self) -> tuple[Callable[..., ShareableList[Any]], tuple[str]]:
        return _attach, (self.shm.name,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)}, name={self.shm.name!r})"

    def _get_packing_format(self, position: int) -> str:
        _, kind, _, room, _ = self._entry(position)
        return _FORMAT[kind](room)

    @property
    def format(self) -> str:
        """What the items are and the room they have, in the words of `struct`."""
        return "".join(self._get_packing_format(index) for index in range(len(self)))

    def count(self, value: _T) -> int:
        """How many items are equal to the value."""
        return sum(item == value for item in self)

    def index(self, value: _T) -> int:
        """Where the first item is that is equal to the value. ValueError when there is none."""
        for position, item in enumerate(self):
            if item == value:
                return position
        raise ValueError(f"{value!r} is not in this list")


def _attach(name: str) -> ShareableList[Any]:
    """The list of a pickled one."""
    return ShareableList(name=name)
