"""A simulated armband, read by NumPy."""

import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from memlane.devices import Myo, simulated_myo


def memlane(*arguments):
    command = [sys.executable, "-m", "memlane", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.fixture
def streamer(tmp_path):
    """Starts a streamer of numbered samples when called; their first four channels are the number."""
    link = tmp_path / "dongle"
    dongle = memlane("myo-dongle", link, "--ramp")
    assert dongle.stdout.readline().strip() == str(link)
    streamers = []

    def start():
        streamers.append(memlane("myo", "--port", link))
        return streamers[-1]

    yield start
    for process in [*streamers, dongle]:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.fixture
def myo(streamer):
    streamer()
    with Myo(wait=60) as myo:
        yield myo


def numbers(samples):
    """The numbers that samples of a ramp carry."""
    return samples["emg"][:, :4].copy().view("<u4")[:, 0]


def test_samples_are_numpy_arrays(myo):
    assert myo.dtype.names == ("t", "lost", "emg")
    first = myo.read(timeout=60)
    assert first["emg"].dtype == np.int8 and first["emg"].shape[1:] == (8,)
    assert (numbers(first) == np.arange(numbers(first)[0], numbers(first)[0] + len(first))).all()
    second = myo.read(timeout=60)
    assert numbers(second)[0] == numbers(first)[-1] + 1, "none twice, none left out"
    assert myo.lost == 0
    newest = myo.last(3)
    assert len(newest) == 3 and (np.diff(numbers(newest)) == 1).all()
    assert numbers(newest)[-1] >= numbers(second)[-1]
    assert (np.diff(newest["t"]) > 0).all() and abs(time.monotonic() - newest["t"][-1]) < 60
    assert len(myo.last(1 << 20)) < 1 << 20


def test_windows_overlap(myo):
    windows = myo.windows(10, overlap=4, timeout=60)
    taken = [next(windows) for _ in range(20)]
    start = numbers(taken[0])[0]
    for index, window in enumerate(taken):
        assert (numbers(window) == np.arange(start + 6 * index, start + 6 * index + 10)).all()
    whole = myo.windows(7, timeout=60)
    one, two = next(whole), next(whole)
    assert numbers(two)[0] == numbers(one)[-1] + 1
    for overlap in (-1, 10, 11):
        with pytest.raises(ValueError, match="overlap from 0 to 9"):
            next(myo.windows(10, overlap))


def test_windows_go_on_with_the_next_streamer_and_time_out_without_one(myo, streamer):
    windows = myo.windows(8, timeout=60)
    before = numbers(next(windows))
    streamer().wait()  # a second one finds the first and ends
    after = numbers(next(windows))
    assert (after > before).all()
    first = myo.status["connections"]
    assert first == 1


def test_a_streamer_that_is_killed_leaves_its_samples(streamer):
    process = streamer()
    with Myo(wait=60) as myo:
        myo.read(timeout=60)
        process.kill()
        process.wait()
        left = numbers(myo.last(10))
        assert len(left) > 0
        with pytest.raises(TimeoutError):
            for _ in myo.windows(4, timeout=0.2):
                pass
        streamer()
        assert (numbers(next(myo.windows(4, timeout=60))) > left[-1]).all()


def test_the_rest_of_the_armband():
    with simulated_myo("left") as myo:
        next(myo.windows(4, timeout=60))
        motion = myo.motion()
        while not len(motion):
            next(myo.windows(4, timeout=60))
            motion = myo.motion()
        assert motion["acceleration"][0].tolist() == [0.0, 0.0, 1.0]
        assert abs(np.linalg.norm(motion["quaternion"][0]) - 1) < 0.001
        assert myo.battery == 87
        assert myo.status["state"] == "streaming"
        assert myo.status["name"] == "Simulated Myo"
        assert myo.status["firmware"] == [1, 5, 1970, 2]
        myo.vibrate("short")
        myo.leds("ff0000", "0000ff")
        myo.tell("dance")
        end = time.monotonic() + 60
        while "dance" not in myo.status["message"]:
            assert time.monotonic() < end
            next(myo.windows(2, timeout=60))
        assert myo.pose in {"rest", "fist"}


# LibEMG's driver is pyomyo, unmodified. The package is a name for its directory here: what it imports is not needed.
FOREIGN_DRIVER = """
    import importlib.util, os, sys, types
    import numpy as np
    package = types.ModuleType("libemg")
    package.__path__ = [os.path.dirname(importlib.util.find_spec("libemg").origin)]
    sys.modules["libemg"] = package
    streamers = types.ModuleType("libemg._streamers")
    streamers.__path__ = [os.path.join(package.__path__[0], "_streamers")]
    sys.modules["libemg._streamers"] = streamers
    from libemg._streamers._myo_streamer import Myo, emg_mode

    emg, imu = [], []
    myo = Myo(tty=sys.argv[1], mode=emg_mode[sys.argv[2]])
    myo.add_emg_handler(emg.append)
    myo.add_imu_handler(lambda *motion: imu.append(motion))
    myo.connect()
    myo.set_leds([128, 0, 0], [128, 0, 0])
    myo.vibrate(3)
    while len(emg) < 100 or len(imu) < 20:
        myo.run()
    myo.disconnect()
    for packet in emg:
        print("emg", *(int(value) for value in np.array(packet).ravel()))
    print("imu", *imu[-1])
"""


@pytest.mark.parametrize("mode", ["RAW", "FILTERED"])
def test_an_unmodified_driver_takes_the_simulated_dongle_for_a_real_one(tmp_path, mode):
    link = tmp_path / "dongle"
    dongle = memlane("myo-dongle", link, "--ramp", "--fault", "strangers")
    dongle.stdout.readline()
    program = textwrap.dedent(FOREIGN_DRIVER)
    try:
        ran = subprocess.run(
            [sys.executable, "-c", program, str(link), mode], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        dongle.terminate()
        dongle.wait()
        dongle.stdout.close()
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert "firmware version: 1.5.1970.2" in lines
    assert "device name: b'" in ran.stdout and "Simulated Myo" in ran.stdout
    emg = [list(map(int, line.split()[1:])) for line in lines if line.startswith("emg")]
    assert len(emg) >= 100
    # It gives out packets twice that come while it waits for a response, which is its own mistake.
    samples = np.array(emg, "int8").reshape(-1, 8)
    known = np.unique(samples[:, :4].copy().view("<u4"))
    assert (known == np.arange(known[0], known[0] + len(known))).all()


def test_without_a_streamer_it_says_so():
    with pytest.raises(FileNotFoundError, match="myo/emg"):
        Myo(wait=0)
