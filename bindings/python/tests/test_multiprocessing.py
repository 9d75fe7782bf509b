"""What `memlane.multiprocessing` is for: its parties are killed, and the others go on.

Each test is the story of a failure that users of `multiprocessing` have reported. The processes are real, and
killed with SIGKILL. That the names and signatures are those of `multiprocessing` is checked by CPython's own
tests.
"""

import ctypes
import gc
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from memlane import multiprocessing as mp
from memlane.multiprocessing import shared_memory


@pytest.fixture(params=["fork", "spawn"])
def context(request):
    """Both ways to start a process: a copy of this one, and a new one that gets pickled handles."""
    return mp.get_context(request.param)


@pytest.fixture
def run(context):
    """Starts a function in a process, which does not outlive the test."""
    started = []

    def run(target, *args):
        process = context.Process(target=target, args=args, daemon=True)
        process.start()
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.join()


def kill(process):
    """SIGKILL; it is gone when this returns."""
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def wait_for_waiters(handle, number=1):
    """Until as many threads of other processes sleep on the region of one of our objects."""
    deadline = time.monotonic() + 20
    while True:
        others = [who for who in handle._native.participants() if who["pid"] != os.getpid()]
        if sum(len(who["waits"]) for who in others) >= number:
            return
        assert time.monotonic() < deadline, "nobody waits"


def soon(function, limit=10):
    """What the function returns or raises, which it has to do within the limit."""
    outcome = []

    def call():
        try:
            outcome.append((function(), None))
        except Exception as error:
            outcome.append((None, error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(limit)
    assert outcome, "it blocks"
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def hold(lock, ready):
    lock.acquire()
    ready.set()
    time.sleep(60)


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_holder_of_a_lock_is_killed(context, run, kind):
    """The next one gets the lock; with `multiprocessing` it is locked for ever (cpython #88304)."""
    lock, ready = getattr(context, kind)(), context.Event()
    holder = run(hold, lock, ready)
    assert ready.wait(20)
    assert not lock.acquire(timeout=0.1)
    kill(holder)

    def take():
        with lock:
            return lock.locked()

    assert soon(take)
    assert not lock.locked()


def test_holder_of_a_value_is_killed(context, run):
    """Each read of a Value takes its lock: with `multiprocessing` it blocks for ever (cpython #88304)."""
    value, ready = context.Value("i", 7), context.Event()
    holder = run(hold, value, ready)
    assert ready.wait(20)
    kill(holder)
    assert soon(lambda: value.value) == 7


@pytest.mark.parametrize("kind", ["Semaphore", "BoundedSemaphore"])
def test_holder_of_a_token_is_killed(context, run, kind):
    """The token is lost, as documented, and anybody may give another; nobody is blocked by it (cpython
    #88304).
    """
    semaphore, ready = getattr(context, kind)(2), context.Event()
    holder = run(hold, semaphore, ready)
    assert ready.wait(20)
    kill(holder)
    assert soon(lambda: semaphore.acquire(timeout=5))
    assert not semaphore.acquire(block=False)
    semaphore.release()
    semaphore.release()
    assert semaphore.get_value() == 2


def wait_for_event(event):
    event.wait()


def test_waiter_for_an_event_is_killed(context, run):
    """`set` returns and wakes the others; with `multiprocessing` it blocks for ever (cpython #75158)."""
    event = context.Event()
    waiter = run(wait_for_event, event)
    wait_for_waiters(event)
    kill(waiter)
    soon(event.set)
    assert event.wait(1)


def wait_for_condition(condition, woken):
    with condition:
        condition.wait()
    woken.release()


def test_waiter_for_a_condition_is_killed(context, run):
    """`notify` wakes one who lives, and does not wait for the dead one (cpython #75158)."""
    condition, woken = context.Condition(), context.Semaphore(0)
    first = run(wait_for_condition, condition, woken)
    wait_for_waiters(condition)
    run(wait_for_condition, condition, woken)
    wait_for_waiters(condition, 2)
    kill(first)

    def notify():
        with condition:
            condition.notify()

    soon(notify)
    assert woken.acquire(timeout=10)


def wait_at_barrier(barrier):
    barrier.wait()


def test_party_of_a_barrier_is_killed(context, run):
    """The others are told that it broke; with `multiprocessing` even `wait(timeout)` blocks (cpython
    #123899).
    """
    barrier = context.Barrier(3)
    party = run(wait_at_barrier, barrier)
    wait_for_waiters(barrier)
    kill(party)
    with pytest.raises(threading.BrokenBarrierError):
        soon(lambda: barrier.wait(5))


def get_one(messages):
    messages.get()


def test_reader_of_a_queue_is_killed(context, run):
    """Killed inside `get`, it keeps no lock with which it blocks all other readers (cpython #85880, #87971).
    """
    messages = context.Queue()
    reader = run(get_one, messages)
    wait_for_waiters(messages)
    kill(reader)
    messages.put("next")
    assert soon(lambda: messages.get(timeout=5)) == "next"


def put_for_ever(messages, ready, size):
    while True:
        messages.put(b"x" * size)
        ready.set()


@pytest.mark.parametrize("size", [100_000, 6_000_000])
def test_writer_of_a_queue_is_killed(context, run, size):
    """No part of a message is left, and `get` keeps its timeout (cpython #94777)."""
    messages, ready = context.Queue(4), context.Event()
    writer = run(put_for_ever, messages, ready, size)
    assert ready.wait(20)
    kill(writer)

    def drain():
        while True:
            assert len(messages.get(timeout=0.5)) == size

    with pytest.raises(queue.Empty):
        soon(drain)
    messages.put("next")
    assert soon(lambda: messages.get(timeout=5)) == "next"


def send_for_ever(connection):
    while True:
        connection.send_bytes(b"x" * 3_000_000)


def test_writer_of_a_pipe_is_killed(context, run):
    """In the middle of a long message: the reader gets whole messages and then the end (cpython #94777)."""
    reader, writer = context.Pipe(duplex=False)
    sender = run(send_for_ever, writer)
    writer.close()
    assert soon(reader.recv_bytes, 30) == b"x" * 3_000_000
    kill(sender)

    def drain():
        while True:
            assert len(reader.recv_bytes()) == 3_000_000

    with pytest.raises(EOFError):
        soon(drain)


def test_put_is_done_when_it_returns():
    """No feeder thread: what was put is there at once and unchanged, and an error shows at `put` (cpython
    #74599).
    """
    messages = mp.Queue()
    numbers = [1, 2, 3]
    messages.put(numbers)
    numbers.append(4)
    assert messages.get_nowait() == [1, 2, 3]
    with pytest.raises(Exception, match="pickle|local object"):
        messages.put(lambda: None)
    assert messages.empty()


def put_and_vanish(messages):
    messages.put("last words")
    os._exit(0)


def test_last_words_arrive(context, run):
    """What was put before `os._exit` is there; with `multiprocessing` about half is lost (cpython #74599)."""
    messages = context.Queue()
    run(put_and_vanish, messages).join()
    assert messages.get(timeout=5) == "last words"


def put_large(messages):
    messages.put(bytes(20_000_000))


def test_large_object_of_a_process_that_exits(context, run):
    """It waits at its exit until the object was taken, in whatever order the other one joins and gets
    (#73983).
    """
    messages = context.Queue()
    sender = run(put_large, messages)
    assert messages.get(timeout=30) == bytes(20_000_000)
    sender.join(10)
    assert sender.exitcode == 0


def answer(requests):
    while True:
        replies, number = requests.get()
        replies.put(number + 1)


def test_queue_passes_over_a_queue(context, run):
    """Handles pickle at any time, not "only through inheritance" (pytorch #50669)."""
    requests, replies = context.Queue(), context.Queue()
    run(answer, requests)
    requests.put((replies, 41))
    assert replies.get(timeout=20) == 42


def set_all(things):
    value, array, event = things.get()
    value.value, array[0] = 5, 2.5
    event.set()


def test_values_pass_over_a_queue(context, run):
    """So do values, arrays and what they are locked with (pytorch #50669)."""
    things, event = context.Queue(), context.Event()
    value, array = context.Value("i", 0), context.Array("d", 3)
    run(set_all, things)
    things.put((value, array, event))
    assert event.wait(20)
    assert value.value == 5 and array[:] == [2.5, 0.0, 0.0]


def test_value_of_a_dropped_parent(context, run):
    """The memory of a value is used for nothing else while anybody has it (cpython #110660)."""
    first = mp.RawValue(ctypes.c_int, 1)
    view = memoryview(first)
    del first
    gc.collect()
    others = [mp.RawValue(ctypes.c_int, 2) for _ in range(20)]
    assert bytes(view) == (1).to_bytes(4, sys.byteorder)
    assert all(other.value == 2 for other in others)


def test_attach_and_exit_does_not_unlink():
    """What attached exits, and the block is there still (cpython #82300)."""
    block = shared_memory.SharedMemory(create=True, size=16)
    program = (
        "import sys; from memlane.multiprocessing.shared_memory import SharedMemory\n"
        "SharedMemory(sys.argv[1]).buf[0] = 42"
    )
    done = subprocess.run([sys.executable, "-c", program, block.name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    again = shared_memory.SharedMemory(block.name)
    assert again.buf[0] == 42 and again.size == 16
    block.unlink()


def test_views_outlive_their_region():
    """`close` with views of it is no BufferError, and using them no crash (cpython #115635, numpy #23305)."""
    block = shared_memory.SharedMemory(create=True, size=4096)
    view = block.buf[10:20]
    view[0] = 7
    block.close()
    block.close()
    block.unlink()
    assert block.buf is None
    del block
    gc.collect()
    assert view[0] == 7
    view[1] = 8


def test_list_keeps_zeros_at_the_end():
    """They are part of the text, or bytes (cpython #96779)."""
    items = shared_memory.ShareableList([b"a\0\0", "b\0"])
    assert list(items) == [b"a\0\0", "b\0"]
    items.shm.unlink()


def test_end_of_a_pipe_that_nobody_has(context, run):
    """A child that is killed before it touched its end has closed it all the same."""
    ours, theirs = context.Pipe()
    child = run(time.sleep, 60)
    holder = run(hold_connection, theirs, started := context.Event())
    theirs.close()
    assert started.wait(20)
    kill(child)
    kill(holder)
    with pytest.raises(EOFError):
        soon(ours.recv)
    with pytest.raises(BrokenPipeError):
        ours.send("anybody?")


def hold_connection(connection, started):
    started.set()
    time.sleep(60)


def test_wait_takes_pipes():
    """`connection.wait` and event loops work with the ends of pipes: they have descriptors."""
    first, other_first = mp.Pipe()
    second, other_second = mp.Pipe()
    assert mp.connection.wait([first, second], 0.1) == []
    other_second.send("here")
    assert mp.connection.wait([first, second], 5) == [second]
    assert second.recv() == "here"
    assert mp.connection.wait([first, second], 0.1) == []
    other_first.close()
    assert mp.connection.wait([first, second], 5) == [first]


def test_names_are_for_unrelated_processes():
    """A name is all that another program needs."""
    messages = mp.Queue(name="jobs")
    program = "from memlane.multiprocessing import Queue; Queue(name='jobs').put({'from': 'elsewhere'})"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert messages.get(timeout=5) == {"from": "elsewhere"}


def test_nothing_is_left_behind(directory):
    """Killed at once, the parent and its children leave no segment (leaks of `sem.mp-*` and `psm_*`, #82300).
    """
    program = """
import sys, time
from memlane.multiprocessing import get_context
def child(*things):
    things[0].put("up")
    time.sleep(60)
if __name__ == "__main__":
    mp = get_context("fork")
    q = mp.Queue()
    things = [q, mp.Lock(), mp.RLock(), mp.Semaphore(), mp.Event(), mp.Condition(), mp.Barrier(2)]
    things += [mp.Value("i"), mp.Array("d", 9), *mp.Pipe()]
    children = [mp.Process(target=child, args=things) for _ in range(2)]
    [c.start() for c in children]
    [q.get() for c in children]
    print(*[c.pid for c in children], flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    pids = [parent.pid, *map(int, parent.stdout.readline().split())]
    assert len(pids) == 3
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    def left():
        return [name for _, _, names in os.walk(directory) for name in names]

    # Whoever makes the next region sweeps up what the killed ones could not, when it is ten seconds old.
    assert left()
    deadline = time.monotonic() + 30
    while left():
        assert time.monotonic() < deadline, left()
        time.sleep(0.1)
        mp.Lock()
        gc.collect()
