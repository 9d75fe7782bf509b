"""What has a content: values, records, texts, arrays and raw bytes of a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .._memlane import Conflict, Schema
from .region import ClosesAtExit, Described, Shaped, array_of, found, seconds, wait_in_thread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .._memlane import Ending, Memory
    from .connection import Connection
    from .locks import Lock


class Reading(NamedTuple):
    """A value, and the version it was read under, to wait from."""

    value: Any
    version: int


class _Versioned(ClosesAtExit):
    """What has a version."""

    def _newer(self, version: int | None, timeout: float | None, ending: Ending | None = None) -> int:
        since = self.version if version is None else version
        timeout = seconds(True, timeout)
        answer, _ = self._ask("wait", version=since, timeout=timeout, form="bytes", ending=ending)
        newer: int = answer["version"]
        return newer

    def wait_newer(self, version: int | None = None, timeout: float | None = None) -> int:
        """Waits until it was written after `version`, from now on when that is None; returns the new version.
        TimeoutError when time is up."""
        return self._newer(version, timeout)

    async def async_wait_newer(self, version: int | None = None, timeout: float | None = None) -> int:
        """`wait_newer`, for asyncio."""
        return await wait_in_thread(lambda ending: self._newer(version, timeout, ending))

    @property
    def version(self) -> int:
        """How often it was written."""
        version: int = self._ask("read", form="bytes")[0]["version"]
        return version


class _Large(_Versioned):
    """What is not fetched whole for its version."""

    @property
    def version(self) -> int:
        """How often writers told of a change."""
        version: int = found(self.connection, self.id)["version"]
        return version


class Value(ClosesAtExit):
    """One number or truth value of a host; see memlane.Value."""

    kind = "value"

    def __init__(
        self,
        connection: Connection,
        id: str,
        initial: Any = None,
        *,
        dtype: Any = None,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "value", create=False)
        asked = type(initial) if dtype is None and initial is not None else dtype
        wanted = None if asked is None else {"schema": str(Schema.of(asked))}
        if wanted is not None and initial is not None:
            wanted["initial"] = initial
        found = self._open(create, wanted, {"schema": "<f8"})
        self._schema = Schema(found["schema"])
        if wanted is not None and wanted["schema"] != str(self._schema):
            self._refuse(wanted["schema"])

    def _refuse(self, wanted: str) -> None:
        from .._memlane import SchemaMismatch

        raise SchemaMismatch(f"region `{self.id}` holds {self._schema}, not {wanted}")

    @property
    def value(self) -> Any:
        """The number now. Setting it wakes who waits for a newer one."""
        return self.read().value

    @value.setter
    def value(self, value: Any) -> None:
        self._ask("write", self._schema.encode(value))

    def add(self, summand: Any) -> Any:
        """Adds as one step, and returns the sum. Integers wrap at their width."""
        return self._number(self._ask("add", by=summand)[0]["content"])

    def update(self, change: Callable[[Any], Any]) -> Any:
        """Sets the value to `change(value)` as one step, and returns that: `change` is called again when somebody else
        was faster."""
        while True:
            current = self.value
            changed = change(current)
            if self.compare_exchange(current, changed):
                return self._number(changed)

    def compare_exchange(self, current: Any, new: Any) -> bool:
        """Sets it to `new` if it is `current`, as one step, and says whether it was."""
        return bool(self._ask("compare_exchange", expected=current, new=new)[0]["exchanged"])

    def read(self) -> Reading:
        """The value with a version to wait from."""
        return self._reading(self._ask("read", form="bytes"))

    def _newer(self, seen: Reading | None, timeout: float | None, ending: Ending | None = None) -> Reading:
        since = self.read() if seen is None else seen
        timeout = seconds(True, timeout)
        answer = self._ask("wait", version=since.version, timeout=timeout, form="bytes", ending=ending)
        return self._reading(answer)

    def wait_newer(self, seen: Reading | None = None, timeout: float | None = None) -> Reading:
        """Waits until the value was set after `seen`, from now on when that is None. Returns the new reading;
        TimeoutError when time is up."""
        return self._newer(seen, timeout)

    async def async_wait_newer(self, seen: Reading | None = None, timeout: float | None = None) -> Reading:
        """`wait_newer`, for asyncio."""
        return await wait_in_thread(lambda ending: self._newer(seen, timeout, ending))

    @property
    def dtype(self) -> str:
        """NumPy's name of its type: "float64"."""
        return str(self._schema.name)

    def _reading(self, answer: tuple[dict[str, Any], Memory]) -> Reading:
        return Reading(self._schema.decode(answer[1]), answer[0]["version"])

    def _number(self, content: Any) -> Any:
        """A number as it lies there. JSON has no infinity: there it is text."""
        number = float(content) if isinstance(content, str) else content
        return self._schema.decode(self._schema.encode(number))


class Text(_Versioned):
    """Text of a host that nobody overwrites unseen; see memlane.Text."""

    kind = "text"

    def __init__(
        self, connection: Connection, id: str, capacity: int | None = None, *, create: bool | None = None
    ) -> None:
        super().__init__(connection, id, "text", create=False)
        wanted = None if capacity is None else {"capacity": capacity}
        found = self._open(create, wanted, {"capacity": _TEXT_CAPACITY})
        self._capacity = Schema(found["schema"]).size

    @property
    def capacity(self) -> int:
        """The most bytes that the text takes, as UTF-8."""
        return self._capacity

    def read(self) -> str:
        """The text."""
        return self.read_versioned()[0]

    def read_versioned(self) -> tuple[str, int]:
        """The text and its version, as of one instant."""
        answer, text = self._ask("read", form="bytes")
        return bytes(text).decode(), answer["version"]

    def write(self, text: str) -> int:
        """Replaces the text; returns its version. ValueError when it is longer than the capacity."""
        version: int = self._ask("write", text.encode())[0]["version"]
        return version

    def write_if(self, version: int, text: str) -> int:
        """Replaces the text if its version is still `version`; returns the new one. Else memlane.Conflict, with what is
        there."""
        new: int = self._ask("write", text.encode(), if_version=version)[0]["version"]
        return new


class Record(_Versioned, Described):
    """A structure of a host; see memlane.Record."""

    kind = "record"

    def __init__(
        self, connection: Connection, id: str, dtype: Any = None, *, create: bool | None = None
    ) -> None:
        super().__init__(connection, id, "record", create=False)
        wanted = None if dtype is None else {"schema": str(Schema.of(dtype))}
        self._schema = Schema(self._open(create, wanted)["schema"])

    def read(self) -> Any:
        """The content as Python has it: a dict for a structure."""
        return self.read_versioned()[0]

    def read_versioned(self) -> tuple[Any, int]:
        """The content and its version, as of one instant."""
        answer, content = self._ask("read", form="bytes")
        return self._schema.decode(content), answer["version"]

    def read_bytes(self) -> bytes:
        """The content's bytes."""
        return bytes(self._ask("read", form="bytes")[1])

    @property
    def array(self) -> npt.NDArray[Any]:
        """The content as a NumPy array of the record's dtype and shape: a copy, as of one instant."""
        return array_of(self._schema.shape, self.dtype, self._ask("read", form="bytes")[1])

    def write(self, content: Any) -> int:
        """Replaces the content by a dict, an array of the dtype, or bytes; returns its version."""
        version: int = self._ask("write", self._schema.encode(content))[0]["version"]
        return version

    def write_if(self, version: int, content: Any) -> int:
        """Replaces the content if its version is still `version`; returns the new one. Else memlane.Conflict, with what
        is there."""
        try:
            answer, _ = self._ask("write", self._schema.encode(content), if_version=version)
        except Conflict as conflict:
            # In the error it is JSON, which knows no bytes and no infinity.
            conflict.content, conflict.version = self.read_versioned()
            raise
        new: int = answer["version"]
        return new

    def __getitem__(self, field: str) -> Any:
        content = self.read()
        for name in field.split("."):
            content = content[name]
        return content

    def __setitem__(self, field: str, value: Any) -> None:
        self._ask("write", field=field, content=value)


class Array(_Large, Shaped):
    """Elements of a host, which change one by one; see memlane.Array.

    Indexing and slicing are NumPy's, and each is a request: what is read is a copy. Elements that are assigned to together
    change one by one, those between them not at all.
    """

    kind = "array"

    def __init__(
        self,
        connection: Connection,
        id: str,
        shape: Any = None,
        dtype: Any = None,
        *,
        create: bool | None = None,
    ) -> None:
        super().__init__(connection, id, "array", create=False)
        if shape is None and (create or dtype is not None):
            raise TypeError("how many elements? say `shape`")
        item = "float64" if dtype is None else dtype
        wanted = None if shape is None else {"schema": str(Schema.of(item, shape))}
        self._schema = Schema(self._open(create, wanted)["schema"])

    @property
    def array(self) -> npt.NDArray[Any]:
        """A copy of all elements."""
        return array_of(self.shape, self.dtype, self._ask("read", form="bytes")[1])

    @property
    def lock(self) -> Lock:
        """The region's lock, for several elements as one change."""
        from .locks import Lock

        return Lock(self.connection, self.id, create=False)

    def snapshot(self) -> npt.NDArray[Any]:
        """A copy of all elements, taken while holding the lock: consistent with all who take it too."""
        with self.lock:
            return self.array

    def changed(self) -> None:
        """As of memlane.Array, where writing through a view has to be told. Here all writing is."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        import numpy

        places = self._places(index)
        if not places.size:
            return numpy.empty(places.shape, self.dtype)
        first, last = int(places.min()), int(places.max())
        run = self._ask("read", form="bytes", start=first, count=last - first + 1)[1]
        elements = array_of((last - first + 1,), self.dtype, run)
        return elements[places - first]

    def __setitem__(self, index: Any, value: Any) -> None:
        import numpy

        places = self._places(index)
        elements = numpy.empty(places.shape, self.dtype)
        elements[...] = value
        flat, elements = places.reshape(-1), elements.reshape(-1)
        # Where one place does not follow the other, another request begins.
        ends = numpy.flatnonzero(numpy.diff(flat) != 1) + 1
        for run, content in zip(numpy.split(flat, ends), numpy.split(elements, ends)):
            if run.size:
                self._ask("write", content.tobytes(), start=int(run[0]), count=len(run))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.array
        return array if dtype is None else array.astype(dtype)

    def _places(self, index: Any) -> npt.NDArray[np.intp]:
        """Which elements are meant, counted as they lie."""
        import numpy

        count = 1
        for length in self.shape:
            count *= length
        places: npt.NDArray[np.intp] = numpy.asarray(numpy.arange(count).reshape(self.shape)[index])
        return places


class Raw(_Large):
    """Bytes of a host with a layout of one's own; see memlane.Raw."""

    kind = "raw"

    def __init__(
        self, connection: Connection, id: str, size: int | None = None, *, create: bool | None = None
    ) -> None:
        super().__init__(connection, id, "raw", create=False)
        if size is None and create:
            raise TypeError("how many bytes? say `size`")
        found = self._open(create, None if size is None else {"capacity": size})
        self._size = Schema(found["schema"]).size

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int = 0, size: int | None = None) -> bytes:
        """A copy of `size` bytes, of all that follow unless said. IndexError outside."""
        return bytes(self._ask("read", form="bytes", start=offset, count=size)[1])

    def write(self, offset: int, bytes: Any) -> None:
        """Writes bytes there. IndexError outside."""
        content = memoryview(bytes).cast("B")
        if content:
            self._ask("write", content, start=offset, count=len(content))

    def changed(self) -> None:
        """As of memlane.Raw, where writing through a view has to be told. Here all writing is."""

    def __len__(self) -> int:
        return self._size


# As memlane.Text.
_TEXT_CAPACITY = 4096
