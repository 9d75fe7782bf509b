"""A role of a scenario, in Python: takes steps from its standard input, one a line."""

import os
import signal
import sys
from typing import Any

import memlane

POSE = {
    "names": ["id", "x", "level"],
    "formats": ["|u1", "<f8", "(2,)>u2"],
    "offsets": [0, 8, 16],
    "itemsize": 24,
}
kept: dict[str, Any] = {}


def keep(id: str, make: Any) -> Any:
    """What is used again, by its id."""
    if id not in kept:
        kept[id] = make()
    return kept[id]


def pose(number: int) -> dict[str, Any]:
    return {"id": number, "x": number + 0.5, "level": [256 + number, 512 + number]}


def record(id: str) -> memlane.Record:
    import numpy

    return memlane.Record(id, numpy.dtype(POSE))


def is_pose(found: dict[str, Any], number: int) -> bool:
    return {"id": found["id"], "x": found["x"], "level": list(found["level"])} == pose(number)


def record_wait(id: str, number: str) -> None:
    pose = record(id)
    while not is_pose((seen := pose.read_versioned())[0], int(number)):
        pose.wait_newer(seen[1])


def value_store(id: str, number: str) -> None:
    memlane.Value(id, 0.0).value = float(number)


def value_wait(id: str, wanted: str) -> None:
    value = memlane.Value(id, 0.0)
    while (seen := value.read()).value != float(wanted):
        value.wait_newer(seen)


def text_wait(id: str, wanted: str) -> None:
    text = memlane.Text(id, 4096)
    while (seen := text.read_versioned())[0] != wanted:
        text.wait_newer(seen[1])


def lock_acquire(id: str, last_owner: str) -> None:
    lock = keep(id, lambda: memlane.Lock(id))
    try:
        assert lock.acquire() and last_owner == "clean"
    except memlane.OwnerDied:
        assert last_owner == "died"
        with lock.recover() as died:
            assert died
        assert lock.acquire()


def work(id: str) -> memlane.Queue:
    return memlane.Queue(id, 4096, acknowledged=True)


def work_lease(id: str, wanted: str) -> None:
    lease = keep("lease", work(id).lease)
    assert lease.value == wanted


def work_take(id: str, wanted: str) -> None:
    with work(id).lease() as lease:
        assert lease.value == wanted and lease.redelivered == 1


def end(id: str, side: str) -> memlane.PipeEnd:
    return keep(id, lambda: memlane.PipeEnd(id, side))  # type: ignore[no-any-return]


def receive(id: str, side: str, wanted: str) -> None:
    assert end(id, side).recv() == wanted


def pipe_end(id: str, side: str) -> None:
    try:
        end(id, side).recv()
    except EOFError:
        return
    raise AssertionError("the pipe has no end")


def stream_next(id: str, wanted: str) -> None:
    stream = keep(id, lambda: memlane.StreamSubscriber(id, history=1000, wait=None))
    assert stream.next() == float(wanted)


def frame_publish(id: str, number: str) -> None:
    memlane.FramePublisher(id, (4, 6, 3), "uint8").publish(bytes([int(number)]) * 72)


def frame_next(id: str, number: str) -> None:
    subscriber = memlane.FrameSubscriber(id, history=1, wait=None)
    with subscriber.next() as frame:
        assert frame.sequence == 1 and memoryview(frame).tobytes() == bytes([int(number)]) * 72


def check(condition: bool) -> None:
    assert condition


STEPS = {
    "value_store": value_store,
    "value_wait": value_wait,
    "record_write": lambda id, number: record(id).write(pose(int(number))),
    "record_wait": record_wait,
    "text_write": lambda id, text: memlane.Text(id, 4096).write(text),
    "text_wait": text_wait,
    "timeout": lambda id: check(not memlane.Event(id).wait(0.01)),
    "event_set": lambda id: memlane.Event(id).set(),
    "event_wait": lambda id: check(memlane.Event(id).wait()),
    "lock_acquire": lock_acquire,
    "lock_release": lambda id: kept[id].release(),
    "queue_put": lambda id, text: memlane.Queue(id, 4096).put(text),
    "queue_take": lambda id, text: check(memlane.Queue(id, 4096).get() == text),
    "work_put": lambda id, text: work(id).put(text),
    "work_lease": work_lease,
    "work_take": work_take,
    "pipe_send": lambda id, side, text: end(id, side).send(text),
    "pipe_receive": receive,
    "pipe_end": pipe_end,
    "stream_append": lambda id, number: keep(id, lambda: memlane.StreamPublisher(id, "<f8")).append(float(number)),
    "stream_next": stream_next,
    "frame_publish": frame_publish,
    "frame_next": frame_next,
    "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
}

for line in sys.stdin:
    verb, *arguments = line.split()
    STEPS[verb](*arguments)
