"""The shared buffers of robot-learning code, as diffusion_policy has them, on top of memlane.

`SharedMemoryRingBuffer` and `SharedMemoryQueue` have the signatures known from there: `create_from_examples`, `put(dict)`,
`get`, `get_last_k`, `get_all`, `out=`. What is different: no manager has to live, nobody polls or estimates a time budget
to avoid torn data, and a killed process blocks nobody.
"""

from __future__ import annotations

import queue
from typing import Any, Dict, Optional

import memlane
import numpy as np

Data = Dict[str, Any]


def _parts(records: Any) -> Data:
    return {name: records[name] for name in records.dtype.names}


def _into(records: Data, out: Optional[Data]) -> Data:
    if out is None:
        return records
    for name, array in records.items():
        out[name][...] = array
    return out


class SharedMemoryRingBuffer:
    """The newest data of one producer, for any number of consumers."""

    def __init__(self, reader: memlane.StreamSubscriber) -> None:
        self._reader = reader
        self._publisher: Optional[memlane.StreamPublisher] = None

    @classmethod
    def create_from_examples(
        cls,
        shm_manager: Any,
        examples: Data,
        get_max_k: int = 32,
        get_time_budget: float = 0.01,
        put_desired_frequency: float = 60,
    ) -> SharedMemoryRingBuffer:
        """A buffer for data like the examples. The manager and the time budget are not needed."""
        publisher = memlane.StreamPublisher(None, examples, capacity=4 * get_max_k)
        reader = memlane.StreamSubscriber(publisher.id, space=publisher.space)
        publisher.close()
        return cls(reader)

    def __reduce__(self) -> Any:
        return SharedMemoryRingBuffer, (self._reader,)

    @property
    def count(self) -> int:
        """How many were put."""
        return self._reader.published

    def put(self, data: Data, wait: bool = True) -> None:
        """Puts data. Whoever does it first is the producer, as long as it lives."""
        if self._publisher is None:
            self._publisher = memlane.StreamPublisher(self._reader.id, space=self._reader.space, create=False)
        with self._publisher.batch(1) as room:
            for name, value in data.items():
                room[name][0] = value

    def get(self, out: Optional[Data] = None) -> Data:
        """The newest data."""
        return _into({name: array[0] for name, array in self.get_last_k(1).items()}, out)

    def get_last_k(self, k: int, out: Optional[Data] = None) -> Data:
        """The newest `k`, oldest first."""
        return _into(_parts(self._reader.last(k)), out)


class SharedMemoryQueue:
    """Data from any number of producers, each taken once."""

    def __init__(self, jobs: memlane.Queue, schema: str) -> None:
        self._jobs, self._schema = jobs, schema
        self._dtype = memlane.Record(None, schema).dtype

    @classmethod
    def create_from_examples(cls, shm_manager: Any, examples: Data, buffer_size: int) -> SharedMemoryQueue:
        """A queue for so much data like the examples."""
        schema = memlane.schema_of(examples)
        size = memlane.Record(None, schema).dtype.itemsize
        return cls(memlane.Queue(None, (size + 64) * buffer_size, messages=buffer_size), schema)

    def __reduce__(self) -> Any:
        return SharedMemoryQueue, (self._jobs, self._schema)

    def qsize(self) -> int:
        """How many there are."""
        return self._jobs.qsize()

    def empty(self) -> bool:
        """Whether there is none."""
        return self._jobs.empty()

    def put(self, data: Data) -> None:
        """Puts data; queue.Full when there is no room."""
        record = np.zeros((), self._dtype)
        for name, value in data.items():
            record[name] = value
        self._jobs.put_nowait(record.tobytes())

    def get(self, out: Optional[Data] = None) -> Data:
        """Takes the oldest; queue.Empty when there is none."""
        return _into(_parts(np.frombuffer(self._jobs.get_nowait(), self._dtype)[0]), out)

    def get_all(self) -> Data:
        """Takes all there are; queue.Empty when there is none."""
        records = np.frombuffer(b"".join(self._jobs.get_many(1 << 20, timeout=0)), self._dtype)
        return _parts(records)


def main() -> None:
    """Both, with an observation as a robot has it."""
    observation = {"rgb": np.zeros((48, 64, 3), "uint8"), "pose": np.zeros(6), "timestamp": 0.0}
    ring = SharedMemoryRingBuffer.create_from_examples(None, observation, get_max_k=8)
    commands = SharedMemoryQueue.create_from_examples(None, {"target": np.zeros(6), "duration": 0.0}, 16)
    for number in range(10):
        ring.put({"rgb": np.full((48, 64, 3), number), "pose": np.arange(6) * number, "timestamp": number})
        commands.put({"target": np.ones(6) * number, "duration": 0.1})
    last = ring.get_last_k(3)
    print("timestamps", last["timestamp"].tolist(), "newest picture", int(ring.get()["rgb"].max()))
    print("first command", commands.get()["target"][0], "and", len(commands.get_all()["duration"]), "more")
    try:
        commands.get()
    except queue.Empty:
        print("no command left")


if __name__ == "__main__":
    main()
