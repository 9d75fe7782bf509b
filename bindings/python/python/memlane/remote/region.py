"""A region of a host by its id, and what the session holds there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .._background import in_thread
from .._memlane import Closed, Corrupt, NotOwner, SchemaMismatch

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from .._memlane import Client, Ending, Memory, Schema
    from .connection import Connection

_T = TypeVar("_T")
_Self = TypeVar("_Self", bound="Region")
_Held = TypeVar("_Held")


class Region:
    """What all classes have: an id, a connection, an end.

    The host looks a region up by its id each time: after `unlink`, a region that is made anew is the one.
    """

    kind: ClassVar[str]

    def __init__(self, connection: Connection, id: str, maker: str, **options: Any) -> None:
        self._connection = connection
        self._id = id
        self._maker, self._options = maker, options
        self._closed = False

    @property
    def id(self) -> str:
        """The region's id."""
        return self._id

    @property
    def connection(self) -> Connection:
        """The connection that it is reached through."""
        return self._connection

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Lets the region go. Never fails, and may be called again. What is held, locks and permits, stays held."""
        self._closed = True

    def unlink(self) -> None:
        """Removes the region's name. FileNotFoundError when there is none."""
        self._connection.delete(self._id)

    def participants(self) -> list[dict[str, Any]]:
        """Who has it open and who died with it: `participants` of `memlane show --json`."""
        found: list[dict[str, Any]] = self._connection.describe(self._id)["participants"]
        return found

    def __repr__(self) -> str:
        state = " closed" if self._closed else ""
        return f"<memlane.remote.{type(self).__name__} {self._id} at {self._connection.address}{state}>"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Connection, str, str, dict[str, Any]]]:
        return restored, (self._connection, self._maker, self._id, self._options)

    def _client(self) -> Client:
        if self._closed:
            raise Closed(f"this handle of region `{self._id}` was closed; open another one")
        return self._connection._client()

    def _ask(
        self, op: str, payload: Any = None, *, ending: Ending | None = None, **fields: Any
    ) -> tuple[dict[str, Any], Memory]:
        """Asks for an operation on the region: the fields of the answer, and its payload."""
        answer = self._client().request({"op": op, "id": self._id, **fields}, payload, ending=ending)
        return answer[0], answer[1]

    def _hold(self, op: str, *, ending: Ending | None = None, **fields: Any) -> tuple[Hold, dict[str, Any]]:
        """Asks for an operation that takes something."""
        client = self._client()
        answer, _, session = client.request({"op": op, "id": self._id, **fields}, ending=ending)
        return Hold(client, session, answer["lease"]), answer

    def _standing(self) -> dict[str, Any]:
        """How a region stands that has no content."""
        found: dict[str, Any] = self._ask("read")[0]["content"]
        return found

    def _open(
        self, create: bool | None, wanted: dict[str, Any] | None, otherwise: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Opens the region, or makes it. Its description.

        wanted: what it is to be; without that, any of its kind will do, and `otherwise` is made where there is none
        """
        if create is None and self._connection.access == "read-only":
            create = False
        if wanted is None and create is None:
            try:
                return self._find()
            except FileNotFoundError:
                if otherwise is None:
                    raise
        elif create is False:
            return self._find()
        specification = otherwise if wanted is None else wanted
        if specification is None:
            raise TypeError("what is in it? say `dtype`")
        exist_ok = create is None
        return self._ask("create", kind=self.kind, exist_ok=exist_ok, **specification)[0]

    def _find(self) -> dict[str, Any]:
        row = found(self._connection, self._id)
        if row["kind"] != self.kind:
            raise SchemaMismatch(f"region `{self._id}` is of kind {row['kind']}, not {self.kind}")
        return row


def found(connection: Connection, id: str) -> dict[str, Any]:
    """The row of a region in the list. FileNotFoundError when there is none."""
    rows = [row for row in connection.list(id) if row["id"] == id]
    if not rows:
        raise FileNotFoundError(2, f"no region `{id}` at the host {connection.address}")
    if "error" in rows[0]:
        raise Corrupt(rows[0]["error"])
    return rows[0]


def restored(connection: Connection, maker: str, id: str, options: dict[str, Any]) -> Any:
    """What a pickled handle was, on the connection that this process has."""
    return getattr(connection, maker)(id, **options)


class ClosesAtExit(Region):
    """`with` for what is closed at its end. Locks and their like mean something else by it."""

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()


class ReleasesAtExit:
    """The end of a `with` for what was taken at its beginning."""

    def release(self) -> None:
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.release()


class Described:
    """What a schema describes."""

    _schema: Schema

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of an item."""
        return self._schema.dtype

    @property
    def schema(self) -> str:
        """What its bytes mean, as text."""
        return str(self._schema)


class Shaped(Described):
    """What has a shape, too."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its dimensions."""
        return self._schema.shape


class Hold:
    """What a session holds by a lease. In another session it is held no more: memlane.NotOwner."""

    def __init__(self, client: Client, session: int, lease: int) -> None:
        self._client, self._session, self._lease = client, session, lease

    def ask(
        self, op: str, payload: Any = None, *, ending: Ending | None = None, **fields: Any
    ) -> tuple[dict[str, Any], Memory]:
        """Asks for an operation on what is held."""
        operation = {"op": op, "lease": self._lease, **fields}
        answer = self._client.request(operation, payload, session=self._session, ending=ending)
        return answer[0], answer[1]

    def release(self) -> None:
        """Gives it back."""
        self.ask("release")

    def let_go(self) -> None:
        """Gives it back, and never fails."""
        try:
            self.release()
        except (ConnectionError, NotOwner, Closed):
            pass  # it is given back, or will be when the host's grace time is over


class Holds:
    """What the session holds, by region and by whoever holds it: a thread, or the process."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, object], list[Any]] = {}
        self._lock = threading.Lock()

    def add(self, id: str, who: object, held: object) -> None:
        with self._lock:
            self._held.setdefault((id, who), []).append(held)

    def newest(self, id: str, who: object) -> Any:
        """What was taken last; None when nothing is held."""
        with self._lock:
            held = self._held.get((id, who))
            return held[-1] if held else None

    def take(self, id: str, who: object, count: int = 1) -> list[Any] | None:
        """What was taken last, which is given back now; None when less is held."""
        with self._lock:
            held = self._held.get((id, who), [])
            if len(held) < count:
                return None
            taken = held[len(held) - count :]
            del held[len(held) - count :]
            if not held:
                self._held.pop((id, who), None)
            return taken

    def one(self, id: str, make: Callable[[], _Held]) -> _Held:
        """The one thing of a region that its handles share."""
        with self._lock:
            shared: list[_Held] = self._held.setdefault((id, "shared"), [])
            if not shared:
                shared.append(make())
            return shared[0]


def seconds(block: bool, timeout: float | None) -> float | None:
    """A timeout as of `acquire(block, timeout)`: the time counts only when it blocks."""
    if not block:
        return 0.0
    if timeout is None:
        return None
    if timeout != timeout:
        raise ValueError("a timeout cannot be NaN")
    return max(0.0, float(timeout))


def array_of(shape: tuple[int, ...], dtype: np.dtype[Any], memory: Memory) -> npt.NDArray[Any]:
    """Received bytes as an array, which is the caller's alone. They are not copied."""
    import numpy

    return numpy.ndarray(shape, dtype, memoryview(memory))


async def wait_in_thread(
    wait: Callable[[Ending], _T], give_back: Callable[[_T], object] = lambda outcome: None
) -> _T:
    """What waits at a host, for asyncio."""
    return await in_thread(wait, give_back)
