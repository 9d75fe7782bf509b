"""The examples do what they say."""

import subprocess
import sys
from pathlib import Path

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


def test_the_camera_is_viewed():
    camera = subprocess.Popen([sys.executable, EXAMPLES / "camera.py", "--pictures", "300"])
    try:
        assert "picture" in run("camera.py", "--view", "--pictures", "10")
    finally:
        camera.terminate()
        camera.wait()


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
