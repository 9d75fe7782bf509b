"""Shared memory for real-time tools: named, self-describing regions that unrelated processes share.

Nothing is copied on one machine, and whatever process is killed, at whatever instruction, the others go on
with intact data.

    import memlane

    camera = memlane.FramePublisher("camera/front", shape=(404, 640, 3), dtype="uint8")
    with camera.loan() as frame:                              # a NumPy view straight into shared memory
        frame.array[...] = picture

    for frame in memlane.FrameSubscriber("camera/front"):     # in any process; nothing is copied
        show(frame.array)

Every class is a handle of one region. Its id is a path inside a space, a directory; None makes a nameless
region that lasts as long as somebody has it open. By default a region is opened or, when there is none, made:
tools start in any order. Handles pickle by id, so they pass into child processes, into pools and over queues.

A `timeout` is in seconds: None waits for ever, 0 looks once. Waits let other threads run, and end at once
when a signal handler raises, as Ctrl-C does.

`memlane.multiprocessing` has the classes of the standard library's `multiprocessing` on top of this, `memlane.devices`
reads what streamers share.
"""

from . import _background, _memlane
from ._memlane import (
    Array,
    Barrier,
    Closed,
    Condition,
    Conflict,
    Corrupt,
    EndTaken,
    Event,
    Frame,
    FrameLoan,
    FramePublisher,
    FrameSubscriber,
    Lease,
    Lock,
    Memory,
    Message,
    NotOwner,
    OutcomeUnknown,
    OwnerDied,
    Pipe,
    PipeEnd,
    PublisherDied,
    PublisherExists,
    Queue,
    Raw,
    Reading,
    Record,
    Records,
    Reservation,
    RLock,
    RwLock,
    SchemaMismatch,
    Semaphore,
    SignalSemaphore,
    Space,
    StreamPublisher,
    StreamSubscriber,
    Text,
    Value,
    Watcher,
    WouldDeadlock,
    __version__,
    schema_of,
)
from .remote import Connection, connect

__all__ = [
    "Array",
    "Barrier",
    "Closed",
    "Condition",
    "Conflict",
    "Connection",
    "Corrupt",
    "EndTaken",
    "Event",
    "Frame",
    "FrameLoan",
    "FramePublisher",
    "FrameSubscriber",
    "Lease",
    "Lock",
    "Memory",
    "Message",
    "NotOwner",
    "OutcomeUnknown",
    "OwnerDied",
    "Pipe",
    "PipeEnd",
    "PublisherDied",
    "PublisherExists",
    "Queue",
    "RLock",
    "Raw",
    "Reading",
    "Record",
    "Records",
    "Reservation",
    "RwLock",
    "SchemaMismatch",
    "Semaphore",
    "SignalSemaphore",
    "Space",
    "StreamPublisher",
    "StreamSubscriber",
    "Text",
    "Value",
    "Watcher",
    "WouldDeadlock",
    "__version__",
    "connect",
    "schema_of",
]

_background.add_async_forms(_memlane)
