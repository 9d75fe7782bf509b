"""The regions of a host, from another machine: what `memlane.connect` gives where it is not local.

The classes have the names, the methods and the promises of those of the package `memlane`; each says what the network
makes different. All of it goes through the host, each call is a request, and what is read is a copy.
"""

from .channels import Frame, FrameLoan, FramePublisher, FrameSubscriber, Records, StreamPublisher, StreamSubscriber
from .connection import Connection, connect
from .contents import Array, Raw, Reading, Record, Text, Value
from .locks import Lock, RLock, RwLock
from .messages import Lease, Message, Pipe, PipeEnd, Queue, Reservation
from .signals import Barrier, Condition, Event, Semaphore, SignalSemaphore

__all__ = [
    "Array",
    "Barrier",
    "Condition",
    "Connection",
    "Event",
    "Frame",
    "FrameLoan",
    "FramePublisher",
    "FrameSubscriber",
    "Lease",
    "Lock",
    "Message",
    "Pipe",
    "PipeEnd",
    "Queue",
    "RLock",
    "Raw",
    "Reading",
    "Record",
    "Records",
    "Reservation",
    "RwLock",
    "Semaphore",
    "SignalSemaphore",
    "StreamPublisher",
    "StreamSubscriber",
    "Text",
    "Value",
    "connect",
]
