"""Arrays onto shared memory: no copies, no dangling views, no BufferError."""

import gc
import pickle
import struct

import memlane
import numpy as np
import pytest


def test_a_loan_is_a_view_that_the_subscriber_sees_without_a_copy():
    camera = memlane.FramePublisher("camera", shape=(4, 6, 3), dtype="uint8")
    viewer = memlane.FrameSubscriber("camera")
    with camera.loan() as loan:
        written = loan.array
        written[...] = np.arange(72, dtype="uint8").reshape(4, 6, 3)
        address = written.ctypes.data
    frame = viewer.next(timeout=5)
    assert frame.array.shape == (4, 6, 3) and frame.array.dtype == np.uint8
    assert not frame.array.flags.writeable
    assert (frame.array == written).all()
    assert address != 0
    assert not loan.array.flags.writeable, "new views of what is published are read-only"
    with pytest.raises(TypeError, match="read-only"):
        memoryview(frame)[0, 0, 0] = 1
    with pytest.raises(TypeError, match="read-write"):
        struct.pack_into("B", frame, 0, 1)


def test_a_view_keeps_its_frame_from_being_written():
    camera = memlane.FramePublisher("camera", shape=(8,), dtype="uint8", history=1)
    viewer = memlane.FrameSubscriber("camera", borrows=1)
    camera.publish(b"\7" * 8)
    frame = viewer.next(timeout=5)
    kept = frame.array[2:4]
    frame.release()
    with pytest.raises(ValueError, match="given back"):
        _ = frame.array
    del frame
    gc.collect()
    for number in range(20):
        camera.publish(bytes([number]) * 8)
    assert kept.tolist() == [7, 7]
    with pytest.raises(BufferError, match="holds 1 of the 1"):
        viewer.next(timeout=5)
    del kept
    gc.collect()
    assert viewer.latest().array.tolist() == [19] * 8


def test_views_outlive_everything():
    """CPython #115635 and numpy #23305: BufferError when closing, or a crash."""
    array = memlane.Array("joints", 6, "float64")
    view, part = array.array, memoryview(array)
    raw = memlane.Raw("raw", 100)
    buf = raw.buf
    camera = memlane.FramePublisher("camera", shape=(8,), dtype="uint8")
    camera.publish(b"\1" * 8)
    viewer = memlane.FrameSubscriber("camera")
    frame = viewer.latest().array
    for handle in (array, raw, camera, viewer):
        handle.unlink() if handle is not viewer else None
        handle.close()
        handle.close()
    del array, raw, camera, viewer
    gc.collect()
    view[0] = 1.5
    buf[99] = 7
    assert part[0] == 1.5 and buf[99] == 7 and frame.tolist() == [1] * 8


def test_a_closed_handle_says_so():
    value = memlane.Value("speed", 1.0)
    value.close()
    assert value.closed
    with pytest.raises(memlane.Closed, match="speed"):
        _ = value.value


def test_one_loan_at_a_time_and_discarded_is_never_seen():
    camera = memlane.FramePublisher("camera", shape=(8,), dtype="uint8")
    loan = camera.loan()
    with pytest.raises(RuntimeError, match="on loan"):
        camera.loan()
    loan.discard()
    with pytest.raises(ZeroDivisionError), camera.loan() as loan:
        loan.array[...] = 1 / 0
    viewer = memlane.FrameSubscriber("camera")
    assert viewer.latest() is None
    with pytest.raises(RuntimeError, match="already"):
        loan.publish()
    assert camera.publish(bytes(8)) == 1
    with pytest.raises(ValueError, match="8 bytes, not 7"):
        camera.publish(bytes(7))


def test_frames_of_any_length():
    camera = memlane.FramePublisher("jpeg", size=1000, encoding="jpeg")
    viewer = memlane.FrameSubscriber("jpeg")
    camera.publish(b"a picture")
    frame = viewer.next(timeout=5)
    assert bytes(frame) == b"a picture" and frame.array.shape == (9,) and viewer.encoding == "jpeg"


DTYPES = ["?", "i1", "u1", "<i2", ">i4", "<u8", "<f2", "f4", ">f8", "S7"]


@pytest.mark.parametrize("dtype", [*DTYPES, [(f"f{n}", d) for n, d in enumerate(DTYPES)]])
def test_dtypes_are_numpys(dtype):
    dtype = np.dtype(dtype)
    array = memlane.Array(None, (2, 3), dtype)
    assert array.array.dtype == dtype and array.dtype == dtype
    content = np.frombuffer(bytes(range(dtype.itemsize * 6)), dtype).reshape(2, 3)
    array[...] = content
    assert array.snapshot().tobytes() == array.array.tobytes() == content.tobytes()
    assert np.asarray(memoryview(array)).dtype == dtype


def test_padding_nesting_and_shapes_are_kept():
    inner = np.dtype([("a", "u1"), ("b", "<f8", (2,))], align=True)
    dtype = np.dtype([("inner", inner, (2,)), ("tail", "<i2")], align=True)
    record = memlane.Record("record", dtype)
    assert record.dtype == dtype
    content = np.zeros((), dtype)
    content["inner"]["b"][1] = 2.5
    record.write(content)
    assert record.array["inner"]["b"].tolist() == content["inner"]["b"].tolist()
    assert record["inner"][1] == {"a": 0, "b": [2.5, 2.5]}


def test_what_cannot_be_shared_is_refused():
    with pytest.raises(TypeError, match="cannot be shared"):
        memlane.Array(None, 3, "complex128")
    with pytest.raises(TypeError, match="cannot be shared"):
        memlane.Array(None, 3, object)


def test_schemas_of_examples():
    assert memlane.schema_of({"rgb": np.zeros((2, 3), "u1"), "pose": np.zeros(6)}) == "{rgb:[2,3]|u1,pose:[6]<f8}"
    assert memlane.schema_of(np.float32(1)) == "<f4"


def test_arrays_index_like_numpys_and_tell_of_changes():
    array = memlane.Array("grid", (3, 4), "int32")
    before = array.version
    array[1, :] = [1, 2, 3, 4]
    assert array[1, 2] == 3 and array[:, 0].tolist() == [0, 1, 0] and len(array) == 3
    assert array.wait_newer(before, timeout=5) > before
    assert [row.sum() for row in array] == [0, 10, 0]
    with array.lock:
        assert array.lock.locked()
    assert np.asarray(array).sum() == 10


def test_streams_as_arrays():
    stream = memlane.StreamPublisher("emg", {"t": 0.0, "level": np.zeros(3, "i2")}, capacity=100)
    reader = memlane.StreamSubscriber("emg")
    with stream.batch(4) as records:
        records["t"] = [1, 2, 3, 4]
        records["level"] = 7
    stream.append({"t": 5.0, "level": [1, 2, 3]})
    stream.append_many(np.array([(6.0, [4, 5, 6])], reader.dtype))
    got = reader.next_many(timeout=5)
    assert got.array["t"].tolist() == [1, 2, 3, 4, 5, 6] and got.lost == 0 and got.first == 0
    out = np.zeros(4, reader.dtype)
    assert reader.last(2, out=out)["t"].tolist() == [5, 6] and out["t"].tolist() == [5, 6, 0, 0]
    for _ in range(1000):
        stream.append({"t": 0.0, "level": [0, 0, 0]})
    lost = reader.next_many(timeout=5)
    assert lost.lost == reader.lost > 0 and lost.first == 6 + lost.lost
    with pytest.raises(ZeroDivisionError), stream.batch(2) as records:
        records["t"] = 1 / 0
    assert stream.published == 1006


def test_a_lossless_stream_names_who_does_not_read():
    stream = memlane.StreamPublisher("level", "f8", capacity=2, lossless=True, timeout=0.05)
    reader = memlane.StreamSubscriber("level")
    with pytest.raises(TimeoutError, match="does not read"):
        for _ in range(100_000):
            stream.append(1.0)
    assert len(reader.next_many(timeout=5)) > 0


def test_handles_pickle_by_id():
    handles = [
        memlane.Value("value", 7),
        memlane.Text("text", 100),
        memlane.Record("record", {"x": 1.0}),
        memlane.Array("array", 3),
        memlane.Raw("raw", 10),
        memlane.Lock("lock", timeout=0.5),
        memlane.RLock("rlock"),
        memlane.RwLock("rwlock"),
        memlane.Semaphore("semaphore", 3),
        memlane.SignalSemaphore("signal", 3),
        memlane.Event("event"),
        memlane.Condition("condition"),
        memlane.Condition("other", memlane.RLock("rlock")),
        memlane.Barrier("barrier", 2),
        memlane.Queue("queue", 1000),
        memlane.Pipe("pipe"),
        memlane.Value(None, 1),
    ]
    for handle in handles:
        again = pickle.loads(pickle.dumps(handle))
        assert type(again) is type(handle) and again.id == handle.id
    camera = memlane.FramePublisher("camera", shape=(2, 2))
    viewer = pickle.loads(pickle.dumps(memlane.FrameSubscriber("camera", borrows=3)))
    camera.publish(bytes(4))
    assert viewer.next(timeout=5).sequence == 1


def test_what_does_not_fit_is_said():
    memlane.Value("speed", 1.0)
    with pytest.raises(memlane.SchemaMismatch, match="<f8"):
        memlane.Value("speed", 1)
    with pytest.raises(memlane.SchemaMismatch, match="value, not text"):
        memlane.Text("speed")
    with pytest.raises(FileExistsError):
        memlane.Value("speed", 1.0, create=True)
    with pytest.raises(FileNotFoundError):
        memlane.Value("absent", create=False)
    with pytest.raises(ValueError, match="camera/front"):
        memlane.Value("../x", 1.0)
    with pytest.raises(ValueError):
        memlane.Value(None, 1, dtype="uint8").value = 300
    text = memlane.Text("text", 3)
    with pytest.raises(ValueError, match="4 bytes"):
        text.write("four")
    version = text.write("one")
    text.write("two")
    with pytest.raises(memlane.Conflict) as conflict:
        text.write_if(version, "own")
    assert (conflict.value.version, conflict.value.content) == (2, "two")
    queue = memlane.Queue("queue", 4096)
    with pytest.raises(ValueError, match="9000"):
        queue.put(bytes(9000))


def test_nameless_regions_go_with_their_last_handle(directory):
    value = memlane.Value(None, 1)
    assert list(directory.glob(".ephemeral/*"))
    del value
    gc.collect()
    assert not list(directory.glob(".ephemeral/*"))


def test_another_shape_or_dtype_is_refused():
    camera = memlane.FramePublisher("camera", shape=(2, 3), dtype="float32")
    with pytest.raises(TypeError, match="int32"):
        camera.publish(np.ones((2, 3), "int32"))
    with pytest.raises(ValueError, match="does not fit"):
        camera.publish(np.ones((3, 2), "float32"))
    assert camera.publish(np.ones((3, 2), "float32").T) == 1
    stream = memlane.StreamPublisher("stream", "float32", shape=3)
    with pytest.raises(ValueError, match="does not fit"):
        stream.append_many(np.zeros((3, 2)))
    record = memlane.Record("record", "[2,3]f4")
    with pytest.raises(ValueError, match="does not fit"):
        record.write(np.zeros((3, 2)))
    with pytest.raises(IndexError, match="8 bytes"):
        memlane.Raw("raw", 8).read(0, 1 << 63)
