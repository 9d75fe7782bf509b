"""Waits: other threads run meanwhile, Ctrl-C ends them at once, asyncio has forms of its own, nothing leaks."""

import asyncio
import gc
import os
import queue
import signal
import threading
import time

import memlane
import pytest
from conftest import open_files

WAITS = {
    "event": lambda: memlane.Event("event").wait(),
    "lock": lambda: held_elsewhere(memlane.Lock("lock")).acquire(),
    "semaphore": lambda: twice(memlane.Semaphore("semaphore", 1)),
    "signal": lambda: memlane.SignalSemaphore("signal").acquire(),
    "condition": lambda: wait(memlane.Condition("condition")),
    "barrier": lambda: memlane.Barrier("barrier", 2).wait(),
    "get": lambda: memlane.Queue("queue", 4096).get(),
    "put": lambda: fill(memlane.Queue("queue", 4096)),
    "recv": lambda: memlane.PipeEnd("link", "left").recv(),
    "frame": lambda: next_of(memlane.FramePublisher("camera", shape=(2,)), memlane.FrameSubscriber),
    "record": lambda: next_of(memlane.StreamPublisher("stream", "f8"), memlane.StreamSubscriber),
    "value": lambda: memlane.Value("value", 1).wait_newer(),
    "text": lambda: memlane.Text("text", 10).wait_newer(),
    "space": lambda: memlane.Space().wait_for("absent"),
}


def held_elsewhere(lock):
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    thread.join()
    return lock


def twice(semaphore):
    semaphore.acquire()
    semaphore.acquire()


def wait(condition):
    with condition:
        try:
            condition.wait()
        finally:
            assert condition.lock.holder["pid"] == os.getpid(), "the lock is held again"


def fill(full):
    while True:
        full.put(bytes(1000))


def next_of(publisher, subscriber):
    return subscriber(publisher.id).next()


@pytest.mark.parametrize("what", WAITS)
def test_ctrl_c_ends_any_wait_at_once(what):
    moments = []

    def interrupt():
        moments.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.2, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        WAITS[what]()
    assert time.monotonic() - moments[0] < 0.5


def test_a_handler_that_returns_lets_the_wait_go_on():
    event = memlane.Event("event")
    calls = []
    before = signal.signal(signal.SIGUSR1, lambda *_: (calls.append(1), event.set() if len(calls) == 2 else None))
    try:
        for delay in (0.1, 0.2):
            threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        assert event.wait(timeout=10) is True
        assert len(calls) == 2
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_timeouts_as_python_has_them():
    event = memlane.Event("event")
    start = time.monotonic()
    assert event.wait(0.2) is False and 0.19 < time.monotonic() - start < 2
    assert event.wait(-1) is False and event.wait(0) is False
    lock = held_elsewhere(memlane.Lock("lock"))
    assert lock.acquire(False) is False and lock.acquire(timeout=0.01) is False
    with pytest.raises(queue.Empty):
        memlane.Queue("queue", 4096).get(timeout=0.01)
    with pytest.raises(TypeError, match="seconds"):
        event.wait("soon")
    with pytest.raises(ValueError):
        event.wait(float("nan"))


def test_the_same_thread_is_told_that_it_would_wait_for_itself():
    with memlane.Lock("lock") as lock, pytest.raises(memlane.WouldDeadlock):
        lock.acquire()
    with pytest.raises(memlane.NotOwner):
        lock.release()


def test_async_forms():
    async def main():
        event, jobs = memlane.Event("event"), memlane.Queue("jobs", 4096)
        camera = memlane.FramePublisher("camera", shape=(2,))
        viewer = memlane.FrameSubscriber("camera")
        stream = memlane.StreamPublisher("stream", "f8")
        reader = memlane.StreamSubscriber("stream")
        value, text = memlane.Value("value", 1), memlane.Text("text", 10)
        left, right = memlane.PipeEnd("link", "left"), memlane.PipeEnd("link", "right")
        later = asyncio.get_running_loop().call_later
        assert await event.async_wait(timeout=0.05) is False
        with pytest.raises(queue.Empty):
            await jobs.async_get(timeout=0.05)
        later(0.1, event.set)
        later(0.1, jobs.put, "job")
        later(0.1, camera.publish, b"\1\2")
        later(0.1, stream.append, 0.5)
        later(0.1, value.add, 1)
        later(0.1, text.write, "new")
        later(0.1, left.send, "hello")
        got = await asyncio.gather(
            event.async_wait(10),
            jobs.async_get(10),
            viewer.async_next(10),
            reader.async_next(10),
            value.async_wait_newer(timeout=10),
            text.async_wait_newer(timeout=10),
            right.async_recv(10),
        )
        assert got[:2] == [True, "job"] and got[2].sequence == 1 and got[3] == 0.5 and got[4].value == 2
        assert got[5:] == [1, "hello"]
        jobs.put(1)
        jobs.put(2)
        jobs.shutdown()
        assert [job async for job in jobs] == [1, 2]

    asyncio.run(main())
    assert watchers() == 1, "one thread for all"


def watchers():
    def thread_name(thread):
        with open(f"/proc/self/task/{thread}/comm") as file:
            return file.read().strip()

    return [thread_name(thread) for thread in os.listdir("/proc/self/task")].count("memlane-watcher")


def test_any_number_of_tasks_wait(start, monkeypatch):
    """In a process of its own, whose threads are counted."""
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))
    other = start(
        """
        import asyncio
        from test_waiting import watchers

        async def main():
            go, jobs = memlane.Event("go"), memlane.Queue("jobs", 4096)
            tasks = [asyncio.create_task(go.async_wait()) for _ in range(200)]
            tasks += [asyncio.create_task(jobs.async_get()) for _ in range(100)]
            await asyncio.sleep(0)
            for number in range(100):
                jobs.put(number)
            go.set()
            got = await asyncio.gather(*tasks)
            print(sum(got[:200]), sorted(got[200:]) == list(range(100)), watchers())

        asyncio.run(main())
        """
    )
    assert other.hear() == "200 True 3"
    other.ends()


def test_a_task_that_is_cancelled_takes_nothing():
    async def main():
        jobs = memlane.Queue("jobs", 4096)
        task = asyncio.create_task(jobs.async_get())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        jobs.put("job")
        assert jobs.get(timeout=1) == "job"

    asyncio.run(main())


def test_a_forked_child_has_handles_of_its_own():
    lock, value, event = memlane.Lock("lock"), memlane.Value("value", 0), memlane.Event("event")
    lock.acquire()
    child = os.fork()
    if child == 0:
        # It does not hold what its parent holds.
        held = lock.acquire(timeout=0.05)
        value.add(1 if not held else 100)
        event.set()
        os._exit(0)
    assert event.wait(10)
    assert os.waitpid(child, 0)[1] == 0
    assert value.value == 1 and lock.holder["pid"] == os.getpid()
    lock.release()


def cycle():
    """Every kind made, used, sent to somebody, closed or let go."""
    value = memlane.Value(None, 1)
    value.add(1)
    memlane.Text(None, 8).write("text")
    memlane.Record(None, {"x": 1.0}).write({"x": 2.0})
    memlane.Array(None, 4)[...] = 1
    memlane.Raw(None, 8).write(0, b"raw")
    for lock in memlane.Lock(None), memlane.RLock(None), memlane.Semaphore(None, 2), memlane.Condition(None):
        with lock:
            pass
    memlane.Event(None).set()
    memlane.Barrier(None, 1).wait()
    nameless = memlane.Space(ephemeral=True)
    camera = memlane.FramePublisher(None, shape=(4,))
    viewer = memlane.FrameSubscriber(camera.id, space=nameless)
    with camera.loan() as loan:
        loan.array[...] = 1
    assert viewer.latest().array.sum() == 4
    samples = memlane.StreamPublisher(None, "u1", capacity=4)
    samples.append(1)
    assert memlane.StreamSubscriber(samples.id, space=nameless).last(1).tolist() == [1]
    pipe = memlane.Pipe(None)
    with pipe.end("left") as left, pipe.end("right") as right:
        left.send("message")
        assert right.recv() == "message"
    jobs = memlane.Queue(None, 4096)
    jobs.put(value)
    assert jobs.get().value == 2


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def mappings():
    with open("/proc/self/maps") as file:
        return len(file.readlines())


def test_nothing_leaks(directory):
    for _ in range(300):
        cycle()
    gc.collect()
    before = open_files(), mappings(), threading.active_count()
    memory = resident()
    for _ in range(10_000):
        cycle()
    gc.collect()
    assert (open_files(), threading.active_count()) == (before[0], before[2])
    assert mappings() <= before[1] + 2
    assert resident() - memory < 4 << 20
    assert not list(directory.glob(".ephemeral/*"))
