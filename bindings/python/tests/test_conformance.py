"""CPython's own tests of multiprocessing, and the deaths that it does not survive, run on the drop-in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parent / "conformance" / "cpython_conformance.py"
START_METHODS = ["fork", "spawn", "forkserver"]

pytest.importorskip("test._test_multiprocessing", reason="this Python came without CPython's tests")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs of all start methods, side by side: most of their time is spent on waiting."""
    runs = {}
    for method in START_METHODS:
        directory = tmp_path_factory.mktemp(method)
        with open(directory / "report", "w") as report:
            arguments = ["--module", "memlane.multiprocessing", "--start-method", method, "--extra"]
            runs[method] = directory, subprocess.Popen(
                [sys.executable, RUNNER, *arguments],
                env={**os.environ, "MEMLANE_DIR": str(directory / "space")},
                stdout=report,
                stderr=subprocess.STDOUT,
            )
    yield runs
    for _, run in runs.values():
        run.kill()
        run.wait()


@pytest.mark.parametrize("method", START_METHODS)
def test_the_drop_in_conforms(runs, method):
    directory, run = runs[method]
    status = run.wait(timeout=1200)
    report = (directory / "report").read_text()
    assert status == 0, report
    assert "CONFORMS" in report, report
    left = [path for path in (directory / "space").rglob("*") if path.is_file()]
    assert left == [], "no region outlives those who used it"
