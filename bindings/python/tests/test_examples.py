"""The examples do what they say."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, *arguments):
    ran = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sensor.py", "level per channel"),
        ("workers.py", "job 7 was handed out again: its worker was killed\n20 jobs done"),
        ("consumer.py", "3 jobs"),
        ("ported.py", "finished [0, 1, 2, 3] total 6 squares [0.0, 1.0, 4.0, 9.0]"),
        ("robot_buffers.py", "timestamps [7.0, 8.0, 9.0] newest picture 9\nfirst command 0.0 and 9 more"),
    ],
)
def test_an_example_says(name, said):
    assert said in run(name)


def test_an_armband_is_plotted_and_classified():
    assert run("myo_plot.py", "--simulate", "--text", "--seconds", "3").count("battery 87 %") == 15
    # The simulated hand rests for two seconds, and makes a fist for two.
    said = run("myo_classify.py", "--simulate", "--windows", "45")
    assert "tense" in said.splitlines()[0] and said.splitlines()[-1].endswith("of 45 windows were tense")
    assert 10 <= int(said.splitlines()[-1].split()[0]) <= 30


def test_the_camera_is_viewed():
    camera = subprocess.Popen([sys.executable, EXAMPLES / "camera.py", "--pictures", "300"])
    try:
        assert "picture" in run("camera.py", "--view", "--pictures", "10")
    finally:
        camera.terminate()
        camera.wait()


def test_opencv_reads_straight_into_a_frame(tmp_path):
    """A video of one picture is published, and what a viewer saves is that picture."""
    video, saved = str(tmp_path / "video.avi"), str(tmp_path / "saved.png")
    picture = np.random.default_rng(1).integers(0, 256, (48, 64, 3), "uint8")
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"FFV1"), 30, (64, 48))
    writer.write(picture)
    writer.release()
    # What the lossless codec made of the picture: it keeps brightness and colour, not red, green and blue.
    expected = cv2.VideoCapture(video).read()[1]
    viewer = subprocess.Popen(
        [sys.executable, EXAMPLES / "camera.py", "--view", "--pictures", "1", "--save", saved],
        stdout=subprocess.PIPE,
        text=True,
    )
    run("camera.py", "--source", video)
    assert "picture 1:" in viewer.communicate(timeout=60)[0]
    assert (cv2.imread(saved) == expected).all()


def test_the_command_is_in_the_package():
    ran = subprocess.run(
        [sys.executable, "-m", "memlane", "create", "value", "robot/speed", "f64"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "memlane", "ls"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "robot/speed" in listed.stdout
