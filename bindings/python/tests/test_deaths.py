"""kill -9: whoever is killed, the others go on, are told what they must know, and do not wait for ever."""

import threading

import memlane
import pytest

HOLDS = """
    thing = memlane.{kind}("thing"{more})
    thing.acquire()
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_the_lock_of_a_dead_owner_is_told_of_until_somebody_recovers(start, kind):
    other = start(HOLDS.format(kind=kind, more=""))
    assert other.hear() == "held"
    lock = getattr(memlane, kind)("thing")
    assert lock.acquire(timeout=0.05) is False
    assert lock.holder["pid"] == other.process.pid
    with pytest.raises(TimeoutError, match=str(other.process.pid)), type(lock)("thing", timeout=0.05):
        pass
    other.kill()
    for _ in range(2):
        with pytest.raises(memlane.OwnerDied, match="recover"):
            lock.acquire(timeout=5)
    assert lock.inconsistent and not lock.locked()
    with lock.recover(timeout=5) as died:
        assert died
    with lock:
        assert not lock.inconsistent


def test_a_recovery_that_fails_leaves_the_next_one_to_recover(start):
    other = start(HOLDS.format(kind="Lock", more=""))
    other.hear()
    other.kill()
    lock = memlane.Lock("thing")
    with pytest.raises(ZeroDivisionError), lock.recover():
        1 / 0  # noqa: B018
    with pytest.raises(memlane.OwnerDied):
        lock.acquire()


def test_who_wants_it_gets_a_dead_owners_lock_like_any_other(start):
    other = start(HOLDS.format(kind="Lock", more=""))
    other.hear()
    other.kill()
    with memlane.Lock("thing", on_owner_death="continue", timeout=5) as lock:
        assert lock.locked()


def test_the_permits_of_the_dead_return(start):
    other = start(HOLDS.format(kind="Semaphore", more=", 1"))
    other.hear()
    semaphore = memlane.Semaphore("thing", 1)
    assert semaphore.acquire(timeout=0.05) is False
    other.kill()
    assert semaphore.acquire(timeout=5) is True


def test_an_event_is_set_although_a_waiter_was_killed(start):
    """CPython #75158: `Event.set()` blocks for ever."""
    event = memlane.Event("start")
    other = start("print(flush=True); memlane.Event('start').wait()")
    other.hear()
    other.kill()
    event.set()
    assert event.wait(timeout=5)


def test_a_notification_goes_to_the_living(start):
    condition = memlane.Condition("changed")
    other = start(
        """
        condition = memlane.Condition("changed")
        with condition:
            print("waits", flush=True)
            condition.wait()
        """
    )
    other.hear()
    # It has the lock until it waits.
    with condition:
        other.kill()
        answers = []
        living = threading.Thread(target=lambda: answers.append(wait(condition)))
        living.start()
        while condition.notify() == 0:
            condition.release()
            condition.acquire()
    living.join(timeout=10)
    assert answers == [True]


def wait(condition):
    with condition:
        return condition.wait(timeout=10)


def test_a_barrier_is_broken_by_a_death(start):
    """CPython #123899: the others hang."""
    barrier = memlane.Barrier("round", 2)
    other = start("print(flush=True); memlane.Barrier('round', 2).wait()")
    other.hear()
    while barrier.n_waiting == 0:
        pass
    other.kill()
    with pytest.raises(threading.BrokenBarrierError):
        for _ in range(2):
            barrier.wait(timeout=5)


def test_what_was_put_is_there_whoever_died(start):
    queue = memlane.Queue("jobs", 65536)
    other = start("memlane.Queue('jobs').put('job'); print(flush=True); time.sleep(60)")
    other.hear()
    other.kill()
    assert queue.get(timeout=1) == "job"


def test_a_getter_killed_waiting_takes_nothing_and_blocks_nobody(start):
    """CPython #85880: the read lock dies with it."""
    queue = memlane.Queue("jobs", 65536)
    other = start("print(flush=True); memlane.Queue('jobs').get()")
    other.hear()
    other.kill()
    queue.put("job")
    assert queue.get(timeout=5) == "job"


def test_an_acknowledged_queue_hands_out_again_what_a_dead_taker_had(start):
    queue = memlane.Queue("jobs", 65536, acknowledged=True)
    queue.put("job")
    other = start(
        """
        lease = memlane.Queue("jobs", create=False).lease()
        print(lease.value, flush=True)
        time.sleep(60)
        """
    )
    assert other.hear() == "job"
    other.kill()
    with queue.lease(timeout=5) as lease:
        assert (lease.value, lease.redelivered) == ("job", 1)
    assert queue.empty()


def test_the_other_end_of_a_pipe_reads_what_was_sent_and_then_the_end(start):
    right = memlane.PipeEnd("link", "right")
    other = start("e = memlane.PipeEnd('link', 'left'); e.send(1); print(flush=True); time.sleep(60)")
    other.hear()
    other.kill()
    assert right.recv(timeout=5) == 1
    with pytest.raises(EOFError):
        right.recv(timeout=5)
    with pytest.raises(BrokenPipeError):
        right.send(2)


def test_frames_and_records_stand_and_the_next_publisher_goes_on(start):
    other = start(
        """
        camera = memlane.FramePublisher("camera", shape=(2, 2), dtype="uint8")
        camera.publish(bytes(4))
        stream = memlane.StreamPublisher("level", "f8")
        stream.append(0.5)
        loan = camera.loan()
        print(flush=True)
        time.sleep(60)
        """
    )
    other.hear()
    viewer = memlane.FrameSubscriber("camera", history=1, on_publisher_death="raise")
    reader = memlane.StreamSubscriber("level", history=1)
    with pytest.raises(memlane.PublisherExists):
        memlane.FramePublisher("camera", create=False)
    other.kill()
    assert viewer.next(timeout=5).sequence == 1
    with pytest.raises(memlane.PublisherDied):
        viewer.next(timeout=5)
    assert memlane.FramePublisher("camera", create=False).publish(b"\1\2\3\4") == 2
    assert reader.next(timeout=5) == 0.5
    assert memlane.StreamPublisher("level", create=False).append(0.75) == 1
    assert reader.next(timeout=5) == 0.75


def test_a_value_is_never_lost(start):
    """CPython #106691: a `+=` of two processes loses half."""
    program = "v = memlane.Value('count', 0)\nfor _ in range(20000): v.add(1)"
    others = [start(program) for _ in range(2)]
    for other in others:
        other.ends()
    assert memlane.Value("count").value == 40000


def test_leaving_removes_nothing(start):
    """CPython #82300: the resource tracker of whoever attached unlinks the segment."""
    memlane.Text("notes", 100).write("mine")
    other = start("memlane.Text('notes').read()")
    other.ends()
    assert memlane.Text("notes", create=False).read() == "mine"
