"""Values and arrays of ctypes in shared memory, with or without a lock.

As `multiprocessing.sharedctypes`. Different are: every object has a region of its own, which lives as long as
any process or view uses it and is used for nothing else before; objects pickle at any time with
`multiprocessing`'s pickler, which is the one of its queues and of memlane's; and when a process dies holding
an object's lock, the next one gets it. The object may then be half-changed, if a change takes more than one
assignment.
"""

from __future__ import annotations

import ctypes
import weakref
from multiprocessing import sharedctypes as _stdlib
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Callable

from .. import _memlane as native
from . import _space
from .synchronize import RLock

__all__ = ["Array", "RawArray", "RawValue", "Value", "copy", "synchronized"]

typecode_to_type: dict[str, Any] = _stdlib.typecode_to_type  # type: ignore[attr-defined]

if TYPE_CHECKING:
    # Generic for type checkers alone.
    _Base = _stdlib.SynchronizedBase[Any]
    _Single = _stdlib.Synchronized[Any]
    _Sequence = _stdlib.SynchronizedArray[Any]
else:
    _Base = _stdlib.SynchronizedBase
    _Single = _stdlib.Synchronized
    _Sequence = _stdlib.SynchronizedArray


class _Memory:
    """The region under a ctypes object, which keeps it as its `_wrapper`."""

    def __init__(self, raw: native.Raw) -> None:
        self._raw = raw

    def create_memoryview(self) -> memoryview:
        return self._raw.buf

    def __reduce__(self) -> tuple[type[_Memory], tuple[native.Raw]]:
        return _Memory, (self._raw,)


def _place(type_: Any, memory: _Memory) -> Any:
    """An object of the type, in that memory."""
    obj = type_.from_buffer(memory.create_memoryview())
    obj._wrapper = memory
    # Registered each time: the standard library may have put its own in the meantime.
    ForkingPickler.register(type_, _reduce)
    return obj


def _reduce(obj: Any) -> Any:
    memory = getattr(obj, "_wrapper", None)
    if not isinstance(memory, _Memory):
        # One that the standard library made, or nobody: a type has one reducer for all of its objects.
        if memory is None:
            return obj.__reduce__()
        return _stdlib.reduce_ctype(obj)  # type: ignore[attr-defined]
    if isinstance(obj, ctypes.Array):
        # The type of an array is made where it is needed, and has no name to be pickled by.
        return _restore, (obj._type_, obj._length_, memory)
    return _restore, (type(obj), None, memory)


def _restore(type_: Any, length: int | None, memory: _Memory) -> Any:
    return _place(type_ if length is None else type_ * length, memory)


def _new(type_: Any, name: str | None = None) -> tuple[Any, bool]:
    """An object of the type, all zeros when it was made just now, and whether it was."""
    size = max(1, ctypes.sizeof(type_))
    raw, is_new = _space.make_or_open(
        lambda create: native.Raw(name, size, create=create, space=_space.space(name))
    )
    if raw.size != size:
        raise ValueError(f"region {name!r} has {raw.size} bytes, and {type_.__name__} takes {size}")
    return _place(type_, _Memory(raw)), is_new


def RawValue(typecode_or_type: Any, *args: Any, name: str | None = None) -> Any:
    """A ctypes object in shared memory, without a lock. With the name of one that exists, that one as it is.
    """
    obj, is_new = _new(typecode_to_type.get(typecode_or_type, typecode_or_type), name)
    if is_new and args:
        obj.__init__(*args)
    return obj


def RawArray(typecode_or_type: Any, size_or_initializer: Any, *, name: str | None = None) -> Any:
    """A ctypes array in shared memory, without a lock; all zeros when a size is given."""
    type_ = typecode_to_type.get(typecode_or_type, typecode_or_type)
    if isinstance(size_or_initializer, int):
        return _new(type_ * size_or_initializer, name)[0]
    array, is_new = _new(type_ * len(size_or_initializer), name)
    if is_new:
        array.__init__(*size_or_initializer)
    return array


def Value(
    typecode_or_type: Any, *args: Any, lock: Any = True, ctx: Any = None, name: str | None = None
) -> Any:
    """A ctypes object in shared memory and its lock: a new RLock, or the one given; False for none."""
    return _with_lock(RawValue(typecode_or_type, *args, name=name), lock, name)


def Array(
    typecode_or_type: Any,
    size_or_initializer: Any,
    *,
    lock: Any = True,
    ctx: Any = None,
    name: str | None = None,
) -> Any:
    """A ctypes array in shared memory and its lock: a new RLock, or the one given; False for none."""
    return _with_lock(RawArray(typecode_or_type, size_or_initializer, name=name), lock, name)


def _with_lock(obj: Any, lock: Any, name: str | None) -> Any:
    if lock is False:
        return obj
    if lock is True or lock is None:
        lock = RLock(name=None if name is None else f"{name}.lock")
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return synchronized(obj, lock)


def copy(obj: Any) -> Any:
    """A copy of a ctypes object, in shared memory of its own."""
    duplicate, _ = _new(type(obj))
    ctypes.pointer(duplicate)[0] = obj
    return duplicate


def synchronized(obj: Any, lock: Any = None, ctx: Any = None) -> Any:
    """A ctypes object with a lock, which is taken for each access; a new RLock unless one is given."""
    if isinstance(obj, _stdlib.SynchronizedBase):
        raise AssertionError("object already synchronized")
    lock = lock or RLock()
    if isinstance(obj, ctypes._SimpleCData):
        return Synchronized(obj, lock)
    if isinstance(obj, ctypes.Array):
        return (SynchronizedString if obj._type_ is ctypes.c_char else SynchronizedArray)(obj, lock)
    return _class_of_structure(type(obj))(obj, lock)


class SynchronizedBase(_Base):
    """A ctypes object and its lock. It pickles at any time."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, Any]]:
        return synchronized, (self.get_obj(), self.get_lock())


class Synchronized(SynchronizedBase, _Single):
    """A number, as `value`."""


class SynchronizedArray(SynchronizedBase, _Sequence):
    """An array, by index."""


class SynchronizedString(SynchronizedBase, _stdlib.SynchronizedString):
    """An array of characters, by index and as `value` or `raw`."""


_structures: weakref.WeakKeyDictionary[type, Any] = weakref.WeakKeyDictionary()


def _class_of_structure(type_: Any) -> Any:
    if type_ not in _structures:
        names = [field[0] for base in type_.__mro__ for field in base.__dict__.get("_fields_", ())]
        members = {name: _locked_field(name) for name in names}
        _structures[type_] = type(f"Synchronized{type_.__name__}", (SynchronizedBase,), members)
    return _structures[type_]


def _locked_field(name: str) -> property:
    def get(self: SynchronizedBase) -> Any:
        with self:
            return getattr(self.get_obj(), name)

    def set(self: SynchronizedBase, value: Any) -> None:
        with self:
            setattr(self.get_obj(), name, value)

    return property(get, set)
