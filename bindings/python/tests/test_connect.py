"""`memlane.connect`: a real host, local and remote, two processes, a host that is killed and started again."""

import asyncio
import contextlib
import json
import math
import os
import pickle
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time

import memlane
import numpy as np
import pytest
from memlane import remote


class Host:
    """`memlane host`, on one port for all its lives."""

    def __init__(self, directory, *options):
        self.directory, self.options, self.port = directory, options, 0
        # At a port that is chosen each time, the tokens would be too.
        self.tokens = directory.with_name(directory.name + "-tokens")
        self.tokens.write_text(f"read-write {secrets.token_hex(16)}\nread-only {secrets.token_hex(16)}\n")
        self.tokens.chmod(0o600)
        self.start()

    def start(self):
        command = [sys.executable, "-m", "memlane", "--space", str(self.directory), "--json", "host"]
        command += ["--listen", f"127.0.0.1:{self.port}", "--token-file", str(self.tokens), *self.options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_TOKEN")}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        self.about = json.loads(line)
        self.port, self.token = self.about["port"], self.about["read_write"]
        self.address = f"127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def connect(self, **options):
        options.setdefault("token", self.token)
        return memlane.connect(self.address, **{"local": False, "timeout": 20, **options})


@pytest.fixture
def host(directory):
    host = Host(directory)
    yield host
    host.kill()


@pytest.fixture(params=["local", "remote"])
def lab(host, request):
    with host.connect(local=request.param == "local") as lab:
        assert lab.mode == request.param, lab.why
        yield lab


@pytest.fixture
def far(host):
    with host.connect() as far:
        yield far


@contextlib.contextmanager
def thread(target):
    """Runs something beside, and raises what it raised."""
    outcome = []

    def run():
        try:
            outcome.append((target(), None))
        except BaseException as error:
            outcome.append((None, error))

    beside = threading.Thread(target=run)
    beside.start()
    yield outcome
    beside.join(30)
    assert not beside.is_alive()
    if outcome[0][1] is not None:
        raise outcome[0][1]


def until(condition):
    """Waits for what another thread or process does, and fails when that takes long."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# What a connection is.


def test_on_the_same_machine_the_memory_itself_is_given_without_a_token(host):
    with memlane.connect(host.address) as lab:
        assert lab.mode == "local" and lab.why and lab.access == "read-write"
        assert type(lab.text("notes")) is memlane.Text
        notes = lab.text("notes")
        notes.write("hi")
        host.kill()
        assert notes.read() == "hi" and memlane.Text("notes").read() == "hi"
        lab.value("made/without/a/host", 1)
        host.start()


def test_whoever_does_not_want_to_be_local_is_remote_and_needs_a_token(host):
    with host.connect() as lab:
        assert lab.mode == "remote" and "told not to" in lab.why and lab.space is None
        assert type(lab.text("notes")) is remote.Text
    with pytest.raises(PermissionError, match="token"):
        host.connect(token="not-the-token-0000000000000000")
    with pytest.raises(PermissionError, match="MEMLANE_TOKEN"):
        host.connect(token=None)


def test_the_token_in_the_environment_is_found(host, monkeypatch):
    monkeypatch.setenv("MEMLANE_TOKEN", host.token)
    with host.connect(token=None) as lab:
        assert lab.mode == "remote" and lab.access == "read-write"


def test_a_token_for_looking_looks(host):
    memlane.Text("notes").write("hi")
    with host.connect(token=host.about["read_only"]) as lab:
        assert lab.access == "read-only"
        notes = lab.text("notes")
        assert notes.read() == "hi"
        with pytest.raises(PermissionError):
            notes.write("ho")
        with pytest.raises(FileNotFoundError):
            lab.text("other")


def test_nobody_there():
    with pytest.raises(ConnectionError, match="memlane host"):
        memlane.connect("127.0.0.1:1")
    with pytest.raises(ValueError, match="is not where a host can be"):
        memlane.connect("gopher://x")


def test_tls_with_the_hosts_fingerprint(directory):
    host = Host(directory, "--tls")
    try:
        with host.connect(fingerprint=host.about["fingerprint"]) as lab:
            lab.text("notes").write("hi")
        with pytest.raises(ConnectionError, match="fingerprint"):
            host.connect(fingerprint="00" * 32)
    finally:
        host.kill()


def test_the_list_and_what_is_in_it(lab):
    notes, speed = lab.text("notes"), lab.value("robot/speed", 1.5)
    notes.write("hi")
    assert speed.value == 1.5
    assert [row["id"] for row in lab.list()] == ["notes", "robot/speed"]
    assert [row["id"] for row in lab.list("robot/*")] == ["robot/speed"]
    assert "notes" in lab and "other" not in lab
    assert lab.describe("notes")["content"] == "hi"
    assert any(process["pid"] for process in lab.participants())
    assert lab.status()["sessions"] >= 1
    lab.delete("notes")
    with pytest.raises(FileNotFoundError):
        lab.describe("notes")
    with pytest.raises(FileNotFoundError):
        lab.delete("notes")


def test_waiting_for_what_is_not_there_yet(lab):
    with pytest.raises(TimeoutError):
        lab.wait_for("late", timeout=0.05)
    with thread(lambda: lab.wait_for("late", timeout=20)):
        memlane.Event("late")


def test_after_the_end_nothing_is_asked(far):
    notes = far.text("notes")
    far.close()
    far.close()
    with pytest.raises(memlane.Closed):
        notes.read()
    with pytest.raises(memlane.Closed):
        far.text("notes")


# Opening.


def test_what_is_missing_is_made_unless_said(lab):
    with pytest.raises(FileNotFoundError):
        lab.value("v", create=False)
    lab.value("v", 3, create=True)
    with pytest.raises(FileExistsError):
        lab.value("v", 3, create=True)
    assert lab.value("v").value == 3
    assert lab.value("w").value == 0.0 and lab.value("w").dtype == "float64"


def test_what_is_of_another_kind_or_schema_is_refused(lab):
    lab.value("v", 3)
    for wrong in (
        lambda: lab.value("v", dtype="float32"),
        lambda: lab.value("v", dtype="float32", create=False),
        lambda: lab.text("v"),
        lambda: lab.text("v", create=False),
        lambda: lab.queue("v"),
        lambda: lab.rlock("v", create=False),
    ):
        with pytest.raises(memlane.SchemaMismatch):
            wrong()
    lab.array("a", 3)
    with pytest.raises(memlane.SchemaMismatch):
        lab.array("a", 4)


# Contents.


def test_values(lab):
    speed = lab.value("robot/speed", 1.5)
    speed.value += 1
    assert speed.add(0.5) == 3.0 == speed.value
    assert speed.update(lambda value: value * 2) == 6.0
    assert speed.compare_exchange(6.0, 7.0) and not speed.compare_exchange(6.0, 8.0)
    speed.value = math.inf
    assert speed.add(1) == math.inf == speed.value
    seen = speed.read()
    with pytest.raises(TimeoutError):
        speed.wait_newer(seen, timeout=0.02)
    with thread(lambda: speed.wait_newer(seen, timeout=20)) as outcome:
        memlane.Value("robot/speed").value = 2.0
    assert outcome[0][0].value == 2.0 and outcome[0][0].version > seen.version


@pytest.mark.parametrize("dtype, number", [("uint8", 255), ("int64", -(2**63)), ("uint64", 2**64 - 1), ("float32", 0.1), ("bool", True)])
def test_numbers_are_what_they_are_in_memory(lab, dtype, number):
    value = lab.value("v", number, dtype=dtype)
    here = memlane.Value("v")
    assert value.value == here.value and type(value.value) is type(here.value) and value.dtype == dtype
    if dtype == "uint8":
        assert value.add(2) == 1
        with pytest.raises(ValueError):
            value.value = 300
    if dtype == "float32":
        assert value.add(0.1) == here.value


def test_texts(lab):
    notes = lab.text("notes", 1000)
    assert notes.capacity == 1000 and notes.read() == ""
    version = notes.write("häh\0")
    assert notes.read_versioned() == ("häh\0", version) and notes.version == version
    assert memlane.Text("notes").read() == "häh\0"
    newer = notes.write_if(version, "new")
    with pytest.raises(memlane.Conflict) as conflict:
        notes.write_if(version, "too late")
    assert (conflict.value.version, conflict.value.content) == (newer, "new")
    with pytest.raises(ValueError):
        notes.write("x" * 1001)
    with thread(lambda: notes.wait_newer(newer, timeout=20)) as outcome:
        memlane.Text("notes").write("newest")
    assert outcome[0][0] > newer and notes.read() == "newest"


def test_a_text_longer_than_a_header_may_be(lab):
    notes = lab.text("notes", 1 << 20)
    notes.write("x" * (1 << 20))
    assert notes.read() == "x" * (1 << 20)


def test_records(lab):
    pose = lab.record("pose", {"x": 0.0, "n": 3, "name": b"arm", "at": [1.0, 2.0]})
    here = memlane.Record("pose")
    pose["x"] = 1.5
    pose["name"] = b"\xff"
    pose["at"] = np.array([4.0, math.inf])
    assert pose.read() == here.read() == {"x": 1.5, "n": 0, "name": b"\xff\0\0", "at": [4.0, math.inf]}
    assert pose["x"] == 1.5 and pose["name"] == here["name"] and pose.read_bytes() == here.read_bytes()
    with pytest.raises(KeyError):
        pose["y"]
    with pytest.raises(KeyError):
        pose["y"] = 1
    version = pose.write({"x": 2.0, "n": 1, "name": b"leg", "at": [0, 0]})
    assert pose.array["x"] == 2.0 and pose.dtype == here.dtype and pose.schema == here.schema
    pose.write(here.array)
    with pytest.raises(memlane.Conflict) as conflict:
        pose.write_if(version, here.array)
    assert conflict.value.content == here.read() and conflict.value.version == version + 1 == pose.version
    with thread(lambda: pose.wait_newer(pose.version, timeout=20)):
        time.sleep(0.05)
        here["x"] = 3.0
    with pytest.raises(TypeError):
        lab.record("other", create=True)


def test_arrays(lab):
    joints = lab.array("joints", (3, 4), "int32")
    here = memlane.Array("joints")
    assert joints.shape == (3, 4) and len(joints) == 3 and joints.dtype == np.int32
    here[...] = np.arange(12).reshape(3, 4)
    for index in ((1, 2), 1, -1, slice(1, 3), (slice(None), 2), (0, slice(1, 3)), ..., [0, 2], np.s_[::2, ::-1], np.s_[0:0]):
        assert np.array_equal(joints[index], here.array[index])
        assert np.shape(joints[index]) == np.shape(here.array[index])
        joints[index] = joints[index] + 100
    assert np.array_equal(joints.array, here.array) and here[1, 2] == 506
    with pytest.raises(IndexError):
        joints[3, 0]
    with pytest.raises(IndexError):
        joints[3, 0] = 1
    assert np.array_equal(joints.snapshot(), here.snapshot()) and np.array_equal(np.asarray(joints), here.array)
    with joints.lock:
        assert joints.lock.locked() and here.lock.locked()
    version = joints.version
    with pytest.raises(TimeoutError):
        joints.wait_newer(version, timeout=0.02)
    with thread(lambda: joints.wait_newer(version, timeout=20)):
        here[0, 0] = 1


def test_raw_bytes(lab):
    raw = lab.raw("raw", 100)
    assert raw.size == 100 == len(raw)
    raw.write(10, b"hello")
    assert raw.read(8, 8) == b"\0\0hello\0" and raw.read(98) == b"\0\0"
    assert memlane.Raw("raw").read(10, 5) == b"hello"
    with pytest.raises(IndexError):
        raw.write(98, b"hello")


# Locks and their like.


def test_locks(lab):
    arm, here = lab.lock("arm", timeout=0.05), memlane.Lock("arm", timeout=0.05)
    with arm:
        assert arm.locked() and here.locked() and arm.holder
        with pytest.raises(memlane.WouldDeadlock):
            arm.acquire()
        assert not arm.acquire(block=False)
        with thread(lambda: here.acquire(timeout=0.02)) as outcome:
            pass
        assert outcome[0][0] is False
        with thread(lambda: lab.lock("arm").acquire(timeout=0.02)) as outcome:
            pass
        assert outcome[0][0] is False, "it is a thread's"
    assert not arm.locked()
    with pytest.raises(memlane.NotOwner):
        arm.release()
    assert here.acquire()
    with thread(lambda: pytest.raises(TimeoutError, arm.__enter__)):
        pass
    with thread(arm.acquire):
        time.sleep(0.05)
        here.release()
    assert arm.locked()


def test_a_lock_of_a_dead_owner(lab, start):
    arm = lab.lock("arm")
    other = start("arm = memlane.Lock('arm'); arm.acquire(); print(flush=True); time.sleep(60)")
    other.hear()
    assert not arm.acquire(timeout=0.02)
    other.kill()
    with pytest.raises(memlane.OwnerDied):
        arm.acquire()
    assert arm.inconsistent
    with pytest.raises(ZeroDivisionError), arm.recover() as died:
        assert died
        1 / 0
    with pytest.raises(memlane.OwnerDied):
        arm.acquire()
    with arm.recover():
        pass
    assert not arm.inconsistent
    with arm:
        pass
    assert lab.lock("arm").acquire()
    lab.lock("arm").abandon()
    with lab.lock("arm", on_owner_death="continue"):
        pass


def test_reentrant_locks(lab):
    arm = lab.rlock("arm")
    with arm, lab.rlock("arm"), arm:
        with thread(lambda: lab.rlock("arm").acquire(timeout=0.02)) as outcome:
            pass
        assert outcome[0][0] is False
        with thread(lambda: memlane.RLock("arm").acquire(block=False)) as outcome:
            pass
        assert outcome[0][0] is False
    assert not arm.locked()
    with pytest.raises(memlane.NotOwner):
        arm.release()
    entered = []

    def enter():
        with arm:
            entered.append(1)

    arm.acquire()
    with thread(enter):
        time.sleep(0.05)
        assert not entered
        arm.release()
    assert entered


def test_locks_for_many_readers(lab):
    lock, here = lab.rwlock("map"), memlane.RwLock("map")
    with lock.read() as died, lab.rwlock("map").read():
        assert not died and here.acquire_read(block=False)
        assert not lock.acquire_write(timeout=0.02)
        here.release_read()
    with lock.write(timeout=1):
        with thread(lambda: here.acquire_read(block=False)) as outcome:
            pass
        assert outcome[0][0] is False
    with pytest.raises(memlane.NotOwner):
        lock.release_read()
    with pytest.raises(memlane.NotOwner):
        lock.release_write()
    with thread(here.acquire_write):
        pass
    with pytest.raises(TimeoutError), lock.read(timeout=0.02):
        pass


def test_semaphores(lab):
    gpus, here = lab.semaphore("gpus", 3), memlane.Semaphore("gpus", 3)
    assert gpus.total == 3 == gpus.value
    with gpus:
        assert here.value == 2
        assert gpus.acquire(count=2) and not here.acquire(timeout=0.02)
        assert not gpus.acquire(block=False)
        gpus.release(2)
    assert gpus.acquire() and gpus.acquire()
    gpus.release(2)
    assert here.value == 3
    with pytest.raises(memlane.NotOwner):
        gpus.release()
    with pytest.raises(ValueError):
        gpus.acquire(count=4)


def test_semaphores_of_signals(lab):
    ready, here = lab.signal_semaphore("ready", maximum=5), memlane.SignalSemaphore("ready", maximum=5)
    ready.release(2)
    assert here.acquire() and ready.acquire() and not ready.acquire(timeout=0.02)
    assert ready.value == 0 and ready.maximum == 5
    with thread(ready.acquire) as outcome:
        here.release()
    assert outcome[0][0] is True
    with pytest.raises(ValueError):
        ready.release(6)


def test_events(lab):
    start, here = lab.event("start"), memlane.Event("start")
    assert not start.wait(timeout=0.02) and not start.is_set() and not start.auto_reset
    with thread(start.wait) as outcome:
        here.set()
    assert outcome[0][0] is True and start.is_set() and start.clear() and not start.clear()
    once = lab.event("once", auto_reset=True)
    once.set()
    assert once.wait(0) and not once.wait(0)


def test_conditions(lab):
    changed = lab.condition("changed")
    with pytest.raises(memlane.NotOwner):
        changed.wait(0)
    with changed:
        assert not changed.wait(timeout=0.02) and changed.lock.locked() and changed.notify() == 0
    lock = lab.lock("lock")
    more = lab.condition("more", lock)
    state = []

    def wait():
        with lock:
            return more.wait_for(lambda: state, timeout=20)

    with thread(wait) as outcome:
        until(lambda: lab.describe("more")["state"]["waiters"])
        with lock:
            state.append(1)
            assert more.notify_all() == 1
    assert outcome[0][0] == [1]


def test_a_condition_with_a_reentrant_lock(host, lab):
    lock = lab.rlock("lock")
    changed = lab.condition("changed", lock)

    def wait():
        with lock, lock:
            return changed.wait(timeout=20)

    with host.connect() as other, thread(wait) as outcome:
        until(lambda: lab.describe("changed")["state"]["waiters"])
        if lab.mode == "remote":
            # It is the session's, which waits with it.
            with pytest.raises(memlane.WouldDeadlock):
                lock.acquire()
        lock = other.rlock("lock")
        with lock:
            assert other.condition("changed", lock).notify() == 1
    assert outcome[0][0] is True


def test_barriers(lab):
    # Who takes part keeps what became of it.
    barrier, here = lab.barrier("round", 2), memlane.Barrier("round", 2)
    with thread(lambda: here.wait(20)) as outcome:
        index = barrier.wait(20)
    assert {index, outcome[0][0]} == {0, 1} and barrier.parties == 2 and not barrier.broken
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(0.02)
    assert barrier.broken
    barrier.reset()
    assert not barrier.broken and barrier.n_waiting == 0
    barrier.abort()
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait()


# Messages.


def test_queues(lab):
    jobs, here = lab.queue("jobs", 65536), memlane.Queue("jobs", 65536)
    with pytest.raises(queue.Empty):
        jobs.get(timeout=0.02)
    jobs.put(b"bytes")
    jobs.put("text")
    assert here.get() == b"bytes" and here.get() == "text"
    here.put(b"1")
    here.put("zwei")
    assert [message.bytes for message in jobs.peek(5)] == [b"1", b"zwei"] and len(jobs) == 2
    assert jobs.get() == b"1" and jobs.get_message().tag == "utf-8" and jobs.empty()
    assert jobs.put_many([b"a", bytearray(b"bc"), b""]) == 3
    assert jobs.get_many(10) == [b"a", b"bc", b""]
    with jobs.reserve(3) as buffer:
        buffer[:] = b"abc"
    assert here.get() == b"abc" and jobs.capacity >= here.capacity >= 65536 and not jobs.full()
    with pytest.raises(ValueError):
        jobs.put(bytes(100_000))
    with pytest.raises(queue.Full):
        while True:
            jobs.put(bytes(10_000), timeout=0.02)
    jobs.get_many(100)
    with thread(jobs.get) as outcome:
        here.put("late")
    assert outcome[0][0] == "late"
    jobs.put("last")
    jobs.shutdown()
    assert jobs.is_shutdown and list(jobs) == ["last"]
    with pytest.raises(memlane.Closed):
        jobs.put("more")
    with pytest.raises(memlane.Closed):
        jobs.get()


def test_nothing_that_came_over_the_network_is_unpickled_unless_said(far):
    memlane.Queue("jobs").put({"n": 1})
    memlane.Queue("jobs").put({"n": 2})
    message = far.queue("jobs").get_message()
    assert message.tag == "pickle" and type(message.value) is bytes and pickle.loads(message.value) == {"n": 1}
    trusting = far.queue("jobs", unpickle=True)
    assert trusting.get() == {"n": 2}
    trusting.put({"n": 3})
    assert memlane.Queue("jobs").get() == {"n": 3}
    memlane.PipeEnd("pipe", "left").send([1])
    assert type(far.pipe_end("pipe", "right").recv()) is bytes


def test_work_that_is_not_acknowledged_is_handed_out_again(lab):
    jobs = lab.queue("jobs", acknowledged=True)
    jobs.put(b"1")
    with pytest.raises(ZeroDivisionError), jobs.lease() as job:
        assert job.value == b"1" and not job.redelivered
        1 / 0
    with jobs.lease() as job:
        assert job.value == b"1" and job.redelivered
    with pytest.raises(RuntimeError):
        job.acknowledge()
    with pytest.raises(queue.Empty):
        jobs.lease(block=False)


def test_pipes(lab):
    pipe = lab.pipe("link")
    left = pipe.end("left")
    right = memlane.PipeEnd("link", "right")
    with pytest.raises(memlane.EndTaken):
        lab.pipe_end("link", "left")
    left.send("hello")
    right.send(b"there")
    assert right.recv() == "hello" and left.poll() and left.recv() == b"there" and not left.poll(0.02)
    with pytest.raises(queue.Empty):
        left.recv(timeout=0.02)
    left.send_bytes(bytearray(b"x"))
    assert left.side == "left" and left.writable and left.readable
    with thread(left.recv_bytes) as outcome:
        right.send("y")
    assert outcome[0][0] == b"y"
    right.send("last")
    right.close()
    assert left.recv() == "last" and left.poll()
    with pytest.raises(EOFError):
        left.recv()
    with pytest.raises(BrokenPipeError):
        left.send("x")
    left.close()
    one = lab.pipe_end("one", "left", duplex=False)
    with pytest.raises(OSError):
        one.recv()


# Channels.


def test_frames(lab):
    picture = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    publisher = memlane.FramePublisher("camera", picture.shape)
    viewer = lab.frames("camera")
    assert viewer.shape == (2, 4, 3) and viewer.dtype == np.uint8 and viewer.latest() is None
    with pytest.raises(TimeoutError):
        viewer.next(timeout=0.02)
    before = time.time()
    publisher.publish(picture)
    frame = viewer.next(timeout=20)
    assert np.array_equal(frame.array, picture) and np.array_equal(np.asarray(frame), picture)
    assert frame.sequence == 1 and before - 0.01 <= frame.timestamp <= time.time() and len(frame) == 2 and frame.missed == 0
    assert viewer.latest().sequence == 1
    frame.release()
    with thread(lambda: next(viewer).sequence) as outcome:
        time.sleep(0.05)
        publisher.publish(picture)
    assert outcome[0][0] == 2
    with pytest.raises(FileNotFoundError):
        lab.frames("other")
    with pytest.raises(TimeoutError):
        lab.frames("other", wait=0.02)


def test_frames_that_are_too_many_are_counted(lab):
    publisher = memlane.FramePublisher("camera", (4, 4, 3))
    picture = np.zeros((4, 4, 3), "uint8")
    publisher.publish(picture)
    viewer = lab.frames("camera", rate=20)
    assert viewer.next(20).sequence == 1
    for _ in range(20):
        publisher.publish(picture)
    seen = [viewer.next(20)]
    while seen[-1].sequence < 21:
        seen.append(viewer.next(20))
    assert len(seen) < 10 and len(seen) + sum(frame.missed for frame in seen) == 20
    assert viewer.missed == sum(frame.missed for frame in seen)


def test_frames_come_smaller(lab):
    picture = np.zeros((40, 60, 3), "uint8")
    picture[:, :30] = 200
    memlane.FramePublisher("camera", picture.shape).publish(picture)
    frame = lab.frames("camera", scale=10).next(20)
    assert frame.shape == (4, 6, 3) and frame.array[0, 0, 0] == 200 and frame.array[0, 5, 0] == 0
    compressed = lab.frames("camera", jpeg=80).next(20)
    assert compressed.encoding == "jpeg" and compressed.bytes[:2] == b"\xff\xd8" and compressed.array.ndim == 1
    latest = lab.frames("camera", jpeg=80).latest()
    assert latest.shape == (40, 60, 3)


def test_publishing_frames(host, lab):
    picture = np.full((2, 3, 3), 7, "uint8")
    publisher = lab.frame_publisher("camera", picture.shape, "uint8")
    viewer = memlane.FrameSubscriber("camera")
    assert viewer.encoding == "bgr8"
    assert publisher.publish(picture) == 1
    assert np.array_equal(viewer.next(20).array, picture)
    with publisher.loan() as loan:
        loan.array[...] = 9
    assert viewer.next(20).array[0, 0, 0] == 9
    with pytest.raises(TypeError):
        publisher.publish(picture.astype("float32"))
    with host.connect() as other, pytest.raises(memlane.PublisherExists):
        other.frame_publisher("camera").publish(picture)
    del loan
    publisher.close()
    lab.frame_publisher("camera").publish(picture)
    sizes = lab.frame_publisher("sizes", size=1000)
    sizes.publish(b"abc")
    assert bytes(memlane.FrameSubscriber("sizes", history=1).next(20)) == b"abc"
    assert lab.frames("sizes").latest() is not None


def test_streams(lab):
    emg = memlane.StreamPublisher("emg", {"t": 0.0, "level": 0}, capacity=100)
    emg.append({"t": 0.5, "level": 1})
    reader, whole = lab.stream("emg"), lab.stream("emg", history=1)
    assert whole.next(20) == {"t": 0.5, "level": 1} == reader.latest()
    with pytest.raises(TimeoutError):
        reader.next(timeout=0.02)
    emg.append_many(np.array([(1.0, 2), (2.0, 3), (3.0, 4)], emg.dtype))
    assert reader.next(20) == {"t": 1.0, "level": 2} and reader.cursor == 2
    records = reader.next_many(1, timeout=20)
    assert records.tolist() == [{"t": 2.0, "level": 3}] and records.first == 2 and len(records) == 1
    assert reader.next_many(timeout=20).array["level"].tolist() == [4]
    last = reader.last(2)
    assert last["level"].tolist() == [3, 4] and last.dtype == emg.dtype and len(reader.last(200)) == 4
    out = np.zeros(3, emg.dtype)
    assert reader.last(3, out) is not None and out["level"].tolist() == [2, 3, 4]
    assert reader.since(1).array["level"].tolist() == [2, 3, 4]
    reader.seek(0)
    assert reader.next(20)["level"] == 1 and reader.published == 4 and reader.publisher and reader.lost == 0
    assert reader.schema == emg.schema


def test_what_a_reader_is_too_slow_for_is_counted(lab):
    emg = memlane.StreamPublisher("emg", "i8", capacity=10)
    reader = lab.stream("emg")
    for number in range(1000):
        emg.append(number)
    seen = []
    while not seen or seen[-1] < 999:
        seen.append(reader.next(20))
    assert seen == sorted(seen) and len(seen) + reader.lost == 1000


def test_publishing_records(host, lab):
    emg = lab.stream_publisher("emg", {"t": 0.0, "level": 0}, capacity=100)
    reader = memlane.StreamSubscriber("emg", history=100)
    assert emg.append({"t": 0.5, "level": 1}) == 0
    assert emg.append_many(np.array([(1.0, 2), (2.0, 3)], emg.dtype)) == 1
    with emg.batch(2) as records:
        records["level"] = 7
    assert reader.next_many(timeout=20).array["level"].tolist() == [1, 2, 3, 7, 7]
    assert emg.published == 5 and emg.capacity >= 100
    with host.connect() as other, pytest.raises(memlane.PublisherExists):
        other.stream_publisher("emg").append({"t": 0.5, "level": 1})


# Other processes.


CONNECTED = """
import os
lab = memlane.connect({address!r}, token={token!r}, local=False)
"""


def test_what_dies_with_its_process_is_given_back(host, far, start):
    other = start(
        CONNECTED.format(address=host.address, token=host.token)
        + "lab.lock('arm').acquire(); lab.semaphore('gpus').acquire(); link = lab.pipe_end('link', 'left')\n"
        + "link.send('hi'); print(flush=True); time.sleep(60)"
    )
    other.hear()
    arm = far.lock("arm")
    assert not arm.acquire(timeout=0.05) and far.semaphore("gpus").value == 0
    other.kill()
    with pytest.raises(memlane.OwnerDied):
        arm.acquire(timeout=20)
    assert far.semaphore("gpus").acquire(timeout=20)
    right = far.pipe_end("link", "right")
    assert right.recv(20) == "hi"
    with pytest.raises(EOFError):
        right.recv(20)


def test_a_process_that_ends_gives_back_at_once(host, far, start):
    other = start(
        CONNECTED.format(address=host.address, token=host.token) + "lab.lock('arm').acquire()"
    )
    other.ends()
    began = time.monotonic()
    with far.lock("arm", on_owner_death="continue"):
        assert time.monotonic() - began < 4, "before the grace time is over"


def test_adds_of_two_processes_are_all_there(host, far, start):
    others = [
        start(
            CONNECTED.format(address=host.address, token=host.token)
            + "n = lab.value('n', 0)\nfor _ in range(200): n.add(1)"
        )
        for _ in range(2)
    ]
    for other in others:
        other.ends()
    assert far.value("n").value == 400


def test_a_child_that_was_forked_has_a_session_of_its_own(host, far):
    n = far.value("n", 0)
    far.lock("arm").acquire()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            n.add(1)
            assert not far.lock("arm").acquire(timeout=0.02)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert n.add(1) == 2, "the parent's connection is its own"
    far.lock("arm").release()


def test_handles_pickle_without_the_token(host, far, start, monkeypatch):
    things = far.value("n", 0), far.queue("jobs", unpickle=True), far.lock("arm", timeout=3), far.array("a", 3)
    pickled = pickle.dumps(things)
    assert host.token.encode() not in pickled
    assert all(thing.connection is far for thing in pickle.loads(pickled))
    monkeypatch.setenv("MEMLANE_TOKEN", host.token)
    other = start(
        f"""
        import pickle
        n, jobs, arm, a = pickle.loads({pickled!r})
        assert n.connection is jobs.connection and n.connection.mode == "remote"
        with arm:
            n.add(1); a[1] = 2; jobs.put((1, 2))
        """
    )
    other.ends()
    n, jobs, _, array = things
    assert n.value == 1 and jobs.get() == (1, 2) and array.array.tolist() == [0, 2, 0]


# Hosts that die.


def test_a_host_that_is_killed_and_started_again_is_found_again(host, far):
    n, notes, viewer = far.value("n", 0), far.text("notes"), far.frames
    notes.write("before")
    n.add(1)
    picture = np.zeros((2, 2, 3), "uint8")
    publisher = memlane.FramePublisher("camera", picture.shape)
    viewer = far.frames("camera")
    publisher.publish(picture)
    assert viewer.next(20).sequence == 1
    version = notes.version
    host.kill()
    with thread(lambda: notes.wait_newer(version, timeout=20)) as outcome:
        host.start()
        until(lambda: far.connected)
        assert n.add(1) == 2 and notes.read() == "before"
        notes.write("after")
    assert outcome[0][0] == version + 1
    publisher.publish(picture)
    assert viewer.next(20).sequence == 2


def test_what_was_underway_when_the_host_died_is_unknown(host, far):
    barrier = far.barrier("round", 2)
    with thread(lambda: pytest.raises(memlane.OutcomeUnknown, barrier.wait)) as outcome:
        until(lambda: barrier.n_waiting == 1)
        host.kill()
        host.start()
    assert "look at what is there" in str(outcome[0][0].value)
    assert not issubclass(memlane.OutcomeUnknown, (OSError, TimeoutError)), "no loop tries again by mistake"


def test_no_change_is_made_twice_however_often_the_host_dies(host, far):
    n = far.value("n", 0)
    done, unknown, over = 0, 0, threading.Event()

    def add():
        nonlocal done, unknown
        while not over.is_set():
            try:
                n.add(1)
                done += 1
            except memlane.OutcomeUnknown:
                unknown += 1

    with thread(add):
        for _ in range(4):
            before = done
            until(lambda: done > before + 20)
            host.kill()
            host.start()
        over.set()
    assert done <= n.value <= done + unknown and unknown <= 4


def test_what_was_held_when_the_host_died_is_held_no_more(host, far):
    arm = far.lock("arm")
    arm.acquire()
    job = far.queue("jobs", acknowledged=True)
    job.put("x")
    lease = job.lease()
    host.kill()
    host.start()
    with pytest.raises(memlane.NotOwner):
        arm.release()
    with pytest.raises(memlane.NotOwner):
        lease.acknowledge()
    with pytest.raises(memlane.OwnerDied):
        arm.acquire()
    with job.lease(timeout=20) as again:
        assert again.value == "x" and again.redelivered


def test_patience_ends(host):
    with host.connect(timeout=0.3) as lab:
        n = lab.value("n", 0)
        host.kill()
        began = time.monotonic()
        with pytest.raises((ConnectionError, memlane.OutcomeUnknown)):
            n.add(1)
        with pytest.raises(ConnectionError):
            n.add(1)
        assert time.monotonic() - began < 5
        host.start()
        until(lambda: lab.connected)
        assert n.add(1) in (1, 2)


# Waits.


WAITS = {
    "event": lambda lab: lab.event("event").wait(),
    "lock": lambda lab: lab.lock("held").acquire(),
    "rlock": lambda lab: lab.rlock("held-again").acquire(),
    "semaphore": lambda lab: lab.semaphore("semaphore", 1, create=False).acquire(count=1),
    "signal": lambda lab: lab.signal_semaphore("signal").acquire(),
    "barrier": lambda lab: lab.barrier("barrier", 2).wait(),
    "get": lambda lab: lab.queue("queue", 4096).get(),
    "recv": lambda lab: lab.pipe_end("link", "left").recv(),
    "frame": lambda lab: lab.frames("camera").next(),
    "record": lambda lab: lab.stream("stream").next(),
    "value": lambda lab: lab.value("value", 1).wait_newer(),
    "text": lambda lab: lab.text("text").wait_newer(),
    "space": lambda lab: lab.wait_for("absent"),
}


@pytest.mark.parametrize("what", WAITS)
def test_ctrl_c_ends_any_wait_at_once(far, what):
    held = memlane.Lock("held"), memlane.RLock("held-again"), memlane.Semaphore("semaphore", 1)
    with thread(lambda: [lock.acquire() for lock in held]):
        pass
    publishers = memlane.FramePublisher("camera", (2, 2)), memlane.StreamPublisher("stream", "f8")
    moments = []

    def interrupt():
        moments.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.3, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        WAITS[what](far)
    assert time.monotonic() - moments[0] < 1
    assert far.value("after", 1).value == 1, "the connection goes on"
    del publishers


def test_asyncio(lab):
    async def main():
        stop, jobs, arm, n = lab.event("stop"), lab.queue("jobs"), lab.lock("arm"), lab.value("n", 0)
        gpus, notes = lab.semaphore("gpus"), lab.text("notes")
        emg = memlane.StreamPublisher("emg", "i8")
        records = lab.stream("emg")
        link = lab.pipe_end("link", "left")
        got = []

        async def work():
            async for job in jobs:
                got.append(job)
            stop.set()

        task = asyncio.create_task(work())
        jobs.put("one")
        jobs.put(b"two")
        jobs.shutdown()
        assert await stop.async_wait(timeout=20)
        await task
        assert got == ["one", b"two"]
        assert not await lab.event("never").async_wait(timeout=0.02)
        assert await arm.async_acquire(timeout=20) and arm.locked()
        arm.release()
        assert await gpus.async_acquire() and not await gpus.async_acquire(timeout=0.02)
        gpus.release()
        newer = asyncio.create_task(n.async_wait_newer(n.read()))
        since = asyncio.create_task(notes.async_wait_newer(notes.version))
        await asyncio.sleep(0.05)
        n.value = 7
        notes.write("x")
        assert (await newer).value == 7 and await since == notes.version
        emg.append(5)
        assert await records.async_next(timeout=20) == 5
        memlane.PipeEnd("link", "right").send("hi")
        assert await link.async_recv(timeout=20) == "hi"
        with pytest.raises(queue.Empty):
            await lab.queue("empty").async_get(timeout=0.02)

    asyncio.run(main())


def test_a_cancelled_task_takes_nothing(far):
    jobs, arm = far.queue("jobs"), far.lock("arm")

    async def main():
        for number in range(20):
            waiting = asyncio.create_task(jobs.async_get())
            locking = asyncio.create_task(arm.async_acquire())
            await asyncio.sleep(0.001 * number)
            waiting.cancel()
            locking.cancel()
            memlane.Queue("jobs").put(str(number))
            outcomes = await asyncio.gather(waiting, locking, return_exceptions=True)
            got = outcomes[0] if isinstance(outcomes[0], str) else await jobs.async_get(timeout=20)
            assert got == str(number)
            if outcomes[1] is True:
                arm.release()
        await asyncio.to_thread(lambda: until(lambda: not arm.locked()))

    asyncio.run(main())


def test_many_tasks_wait_at_once(far):
    async def main():
        event = far.event("go")
        waiting = [asyncio.create_task(event.async_wait(timeout=20)) for _ in range(40)]
        await asyncio.sleep(0.05)
        event.set()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(main())
