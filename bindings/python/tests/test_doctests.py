"""The examples in the docstrings of the native module."""

import doctest
import tempfile

import memlane
import pytest
from memlane import _memlane


def examples():
    """Those of every public object, classes with their methods."""
    finder = doctest.DocTestFinder()
    found = []
    for name, thing in sorted(vars(_memlane).items()):
        if not name.startswith("_"):
            # The classes say that they are of `memlane`: asked for a module, the finder would pass them over.
            found += finder.find(thing, name, module=False, globs={})
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_example(test, tmp_path, monkeypatch):
    space = tmp_path / "space"
    # The default space is looked up at each use.
    monkeypatch.setenv("MEMLANE_DIR", str(space))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    report = []
    outcome = doctest.DocTestRunner().run(test, out=report.append)
    assert outcome.failed == 0, "".join(report)
    assert memlane.Space(space).list() == [], "an example leaves a region behind"


def test_every_class_of_handles_has_an_example():
    with_example = {test.name for test in examples()}
    handles = {name for name in memlane.__all__ if hasattr(getattr(memlane, name), "unlink")}
    # A subscriber is nothing without a publisher, whose example shows both.
    assert handles - with_example == {"FrameSubscriber", "StreamSubscriber"}
