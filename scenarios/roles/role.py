"""A process of the scenarios, in Python: carries out commands, a line each, and answers with a line."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from typing import Any

import memlane
import numpy as np

POSE = np.dtype(
    {
        "names": ["state", "time", "count", "position"],
        "formats": ["i1", "<f8", ">u2", (">f4", 3)],
        "offsets": [0, 8, 16, 20],
        "itemsize": 32,
    }
)
SAMPLE = np.dtype([("number", ">u2"), ("level", "i1")], align=True)
SHAPE = (4, 6, 3)

# What a process has open: one of each kind is enough.
opened: dict[str, Any] = {}


def seconds(milliseconds: str) -> float:
    return int(milliseconds) / 1000


def opening(kind: str, open: Callable[[str], Any]) -> Callable[[str], None]:
    def command(id: str) -> None:
        opened[kind] = open(id)

    return command


def value_open(id: str, initial: str) -> float:
    opened["value"] = memlane.Value(id, float(initial))
    return float(opened["value"].value)


def value_wait(seen: str, timeout: str) -> float:
    reading = opened["value"].read()
    if reading.value == float(seen):
        reading = opened["value"].wait_newer(reading, seconds(timeout))
    return float(reading.value)


def value_set(number: str) -> None:
    opened["value"].value = float(number)


def record_write(state: str, time: str, count: str, *position: str) -> None:
    content = {"state": int(state), "time": float(time), "count": int(count)}
    opened["record"].write({**content, "position": [float(coordinate) for coordinate in position]})


def record_read() -> str:
    state, time, count, position = opened["record"].read().values()
    return " ".join(f"{number:g}" for number in (state, time, count, *position))


def text_write(*words: str) -> None:
    opened["text"].write(" ".join(words))


def lock_take(timeout: str) -> None:
    if not opened["lock"].acquire(timeout=seconds(timeout)):
        raise TimeoutError


def lock_consistent() -> None:
    # Python takes the lock of the dead in one step with promising to mend.
    opened["recovery"] = opened["lock"].recover()
    opened["recovery"].__enter__()


def lock_release() -> None:
    recovery = opened.pop("recovery", None)
    if recovery is None:
        opened["lock"].release()
    else:
        recovery.__exit__(None, None, None)


def work_lease(timeout: str) -> str:
    lease = opened["lease"] = opened["work"].lease(timeout=seconds(timeout))
    return f"{lease.value}, handed out {lease.redelivered} times before"


def pipe_open(id: str, side: Any) -> None:
    opened["pipe"] = memlane.PipeEnd(id, side)


def stream_append(number: str, level: str) -> None:
    opened["stream"].append({"number": int(number), "level": int(level)})


def stream_next(timeout: str) -> str:
    record = opened["reader"].next(seconds(timeout))
    return f"{record['number']} {record['level']} of {opened['reader'].cursor - 1}"


def frame_publish(brightness: str) -> int:
    with opened["publisher"].loan() as frame:
        frame.array[...] = int(brightness)
    return int(frame.sequence)


def frame_next(timeout: str) -> str:
    with opened["viewer"].next(seconds(timeout)) as frame:
        content = frame.array
        even = content.shape == SHAPE and content.min() == content.max()
        return f"{frame.sequence} filled with {content.flat[0] if even else 'something else'}"


def event_wait(timeout: str) -> None:
    if not opened["event"].wait(seconds(timeout)):
        raise TimeoutError


COMMANDS: dict[str, Callable[..., object]] = {
    "value-open": value_open,
    "value-get": lambda: opened["value"].value,
    "value-set": value_set,
    "value-add": lambda number: opened["value"].add(float(number)),
    "value-wait": value_wait,
    "integer-open": opening("integer", lambda id: memlane.Value(id, 0, dtype="i4")),
    "record-open": opening("record", lambda id: memlane.Record(id, POSE)),
    "record-write": record_write,
    "record-read": record_read,
    "text-open": opening("text", lambda id: memlane.Text(id, 100)),
    "text-write": text_write,
    "text-read": lambda: opened["text"].read(),
    "lock-open": opening("lock", memlane.Lock),
    "lock-take": lock_take,
    "lock-consistent": lock_consistent,
    "lock-release": lock_release,
    "queue-open": opening("queue", lambda id: memlane.Queue(id, 4096)),
    "queue-put": lambda *words: opened["queue"].put(" ".join(words)),
    "queue-get": lambda timeout: opened["queue"].get(timeout=seconds(timeout)),
    "queue-close": lambda: opened["queue"].shutdown(),
    "work-open": opening("work", lambda id: memlane.Queue(id, 4096, acknowledged=True)),
    "work-put": lambda *words: opened["work"].put(" ".join(words)),
    "work-lease": work_lease,
    "work-done": lambda: opened.pop("lease").acknowledge(),
    "pipe-open": pipe_open,
    "pipe-send": lambda *words: opened["pipe"].send(" ".join(words)),
    "pipe-recv": lambda timeout: opened["pipe"].recv(seconds(timeout)),
    "stream-open": opening("stream", lambda id: memlane.StreamPublisher(id, SAMPLE, capacity=16)),
    "stream-watch": opening("reader", memlane.StreamSubscriber),
    "stream-append": stream_append,
    "stream-next": stream_next,
    "frame-open": opening("publisher", lambda id: memlane.FramePublisher(id, SHAPE, "uint8")),
    "frame-watch": opening("viewer", memlane.FrameSubscriber),
    "frame-publish": frame_publish,
    "frame-next": frame_next,
    "event-open": opening("event", memlane.Event),
    "event-set": lambda: opened["event"].set(),
    "event-wait": event_wait,
}

ERRORS: list[tuple[type[Exception], str]] = [
    (memlane.OwnerDied, "owner died"),
    (memlane.SchemaMismatch, "schema mismatch"),
    (memlane.Closed, "closed"),
    (FileNotFoundError, "not found"),
    (EOFError, "end of pipe"),
    (BrokenPipeError, "broken pipe"),
    (TimeoutError, "timeout"),
    (queue.Empty, "timeout"),
]


def answer(command: str, *arguments: str) -> str:
    try:
        result = COMMANDS[command](*arguments)
    except Exception as error:
        for kind, word in ERRORS:
            if isinstance(error, kind):
                return word
        return f"{type(error).__name__}: {error}"
    if isinstance(result, float):
        return f"{result:g}"
    return "ok" if result is None else str(result)


for line in sys.stdin:
    print(answer(*line.rstrip("\n").split(" ")), flush=True)
