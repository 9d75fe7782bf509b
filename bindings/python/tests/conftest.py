"""What the tests share: a space of their own, and other processes that play a part."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """A fresh directory, which is the default space of the test and of the processes it starts."""
    monkeypatch.setenv("MEMLANE_DIR", str(tmp_path))
    return tmp_path


class Other:
    """Another process, which runs some lines of Python and can be talked to line by line."""

    def __init__(self, program):
        lines = "import sys, time\nimport memlane\n" + textwrap.dedent(program)
        self.process = subprocess.Popen(
            [sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hear(self):
        """The next line that it prints."""
        return self.process.stdout.readline().strip()

    def tell(self, line=""):
        """Sends it a line."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self):
        """SIGKILL; it is gone when this returns."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ends(self):
        """Waits for its end, which must be a good one."""
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0


@pytest.fixture
def start():
    """Starts another process; none outlives the test."""
    with contextlib.ExitStack() as stack:

        def start(program):
            other = Other(program)
            stack.callback(other.process.stdout.close)
            stack.callback(other.process.stdin.close)
            stack.callback(other.kill)
            return other

        yield start


def open_files():
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))
