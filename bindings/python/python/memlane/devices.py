"""Devices that a streamer shares, as NumPy arrays.

    from memlane.devices import Myo

    with Myo() as myo:                              # opens what `memlane myo` shares
        print(myo.last(200)["emg"].std(axis=0))     # of the newest second, whenever it is asked for
        for window in myo.windows(40, overlap=20):  # every 100 ms the last 200 ms
            print(window["emg"].std(axis=0), myo.pose)

Reading disturbs nobody: the streamer does not wait for its readers, and each of them has its own place. When the streamer
is killed, what it published stays and reads go on waiting; when it is started again, they go on by themselves.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

from ._memlane import Queue, Record, Space, StreamSubscriber, Text, Value

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self, TypeAlias

    _Samples: TypeAlias = npt.NDArray[np.void]
    _Space: TypeAlias = "Space | str | os.PathLike[str]"

__all__ = ["Myo", "simulated_myo"]


class Myo:
    """A Myo armband, as `memlane myo` shares it.

    Samples are structured arrays with the fields `t` (seconds of `time.monotonic()`), `lost` (samples that the radio lost
    just before this one) and `emg` (eight channels); those of motion have `t`, `quaternion` (w x y z), `acceleration` (g)
    and `rotation` (degrees a second).

    `id` is what the regions' ids begin with. `wait` is how many seconds the streamer may take to come, None for ever; then
    it is a `FileNotFoundError`.
    """

    def __init__(self, id: str = "myo", *, wait: float | None = 10.0, space: _Space | None = None) -> None:
        self._id = id
        self._space = space
        self._emg = StreamSubscriber(f"{id}/emg", wait=wait, space=space)
        # What the streamer makes last: when it is there, everything is.
        self._imu = StreamSubscriber(f"{id}/imu", wait=wait, space=space)
        self._pose = Text(f"{id}/pose", 32, space=space)
        self._battery = Value(f"{id}/battery", 0, dtype="uint8", space=space)
        self._commands = Queue(f"{id}/commands", 4096, space=space)

    @property
    def dtype(self) -> np.dtype[np.void]:
        """What a sample is."""
        return self._emg.dtype

    def last(self, count: int) -> _Samples:
        """The newest samples, oldest first; fewer when there are fewer. Up to twenty seconds are kept."""
        return self._emg.last(count)

    def motion(self, count: int = 1) -> _Samples:
        """The newest records of motion, oldest first."""
        return self._imu.last(count)

    def read(self, timeout: float | None = None) -> _Samples:
        """The samples that came since the last read, or since this was opened; waits for one when there is none."""
        records: _Samples = self._emg.next_many(timeout=timeout).array
        return records

    @property
    def lost(self) -> int:
        """Samples that were overwritten before `read` came to them."""
        return self._emg.lost

    def windows(self, length: int, overlap: int = 0, timeout: float | None = None) -> Iterator[_Samples]:
        """Windows of so many samples from now on, each of which shares `overlap` samples with the one before.

        The windows have a place of their own, apart from `read`. None of them has a gap that this reader made: who takes
        longer than twenty seconds for a window gets the next one from where there are samples still. `timeout` is the
        longest pause between two samples; a longer one is a `TimeoutError`.
        """
        if not 0 <= overlap < length:
            raise ValueError(f"expected an overlap from 0 to {length - 1}, less than the window, found {overlap}")
        import numpy as np

        with StreamSubscriber(f"{self._id}/emg", space=self._space) as subscriber:
            window = np.empty(0, subscriber.dtype)
            while True:
                records = subscriber.next_many(length - len(window), timeout=timeout)
                kept = window[:0] if records.lost else window
                window = np.concatenate([kept, records.array])
                if len(window) == length:
                    yield window
                    window = window[length - overlap :]

    @property
    def pose(self) -> str:
        """What the hand does: `rest`, `fist`, `wave in`, `wave out`, `spread`, `double tap`; empty before the first."""
        return self._pose.read()

    @property
    def battery(self) -> int:
        """Percent."""
        return int(self._battery.value)

    @property
    def status(self) -> dict[str, Any]:
        """What the streamer says of itself: state, address, name, firmware, arm, counters and its last error."""
        with Record(f"{self._id}/status", create=False, space=self._space) as record:
            fields: dict[str, Any] = record.read()
        return {
            name: value.rstrip(b"\0").decode(errors="replace") if isinstance(value, bytes) else value
            for name, value in fields.items()
        }

    def tell(self, command: str) -> None:
        """Puts a command into the streamer's queue: `vibrate short`, `leds ff0000 0000ff`, `sleep`, `mode off data` …

        The streamer does it as soon as it is connected. What it does not understand it says in `status["message"]`.
        """
        self._commands.put(command)

    def vibrate(self, length: Literal["short", "medium", "long"] = "medium") -> None:
        """Has it buzz."""
        self.tell(f"vibrate {length}")

    def leds(self, logo: str, line: str) -> None:
        """The colours of logo and line, such as `ff8000`."""
        self.tell(f"leds {logo} {line}")

    def close(self) -> None:
        """Lets the regions go; the streamer goes on."""
        for handle in (self._emg, self._imu, self._pose, self._battery, self._commands):
            handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def simulated_myo(id: str = "myo") -> Iterator[Myo]:
    """An armband that is not there, streamed by a process of its own until the end of the block: for trying things out."""
    command = [sys.executable, "-m", "memlane", "myo", "--simulate", "--id", id]
    streamer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with Myo(id) as myo:
            yield myo
    finally:
        streamer.terminate()
        streamer.wait()
