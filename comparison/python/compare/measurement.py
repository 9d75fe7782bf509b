"""Measures the objects of a comparison in turn, over several rounds."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
from collections.abc import Iterator
from typing import Any

from .goals import Comparison
from .pair import Failed, Pair
from .scenarios import Scenario

_numbers = itertools.count()


@contextlib.contextmanager
def made(way: str) -> Iterator[Any]:
    """An object of `peers`, under a name that nothing else has. Failed when its package is not there, or refuses."""
    module, _, name = way.rpartition(".")
    try:
        peer = importlib.import_module(f"{__package__}.peers.{module}")
        measured = getattr(peer, name)(f"compare-{os.getpid()}-{next(_numbers)}")
    except Exception as error:
        raise Failed(f"cannot be made: {type(error).__name__}: {error}") from None
    try:
        yield measured
    finally:
        getattr(measured, "close", lambda: None)()


class _Running:
    """A pair at a scenario, and how often it does it in a round."""

    def __init__(self, scenario: Scenario, pair: Pair, seconds: float) -> None:
        self._scenario = scenario
        self._pair = pair
        self._count = 1
        pair.ready()
        # The shortest of some: a process that had to wait for its core says nothing of the work.
        while (took := min(self._work()[0] for _ in range(3))) < seconds / 4:
            self._count *= 4
        self._count = max(1, round(self._count * seconds / took))

    def _work(self) -> tuple[float, list[float | None]]:
        self._pair.tell(self._count)
        return self._pair.hear()

    def round(self) -> float:
        """The figure of one more round."""
        return self._scenario.result(self._count, *self._work())


def measure(comparison: Comparison, rounds: int, seconds: float) -> dict[str, list[float] | Failed]:
    """The figures of each round by object, or why there are none."""
    figures: dict[str, list[float] | Failed] = {}
    running: dict[str, _Running] = {}
    with contextlib.ExitStack() as stack:
        for way in comparison.ways():
            try:
                measured = stack.enter_context(made(way))
                pair = stack.enter_context(Pair(comparison.scenario.sides, measured))
                running[way] = _Running(comparison.scenario, pair, seconds)
                figures[way] = []
            except Failed as failed:
                figures[way] = failed
        for _ in range(rounds):
            for way in list(running):
                so_far = figures[way]
                assert isinstance(so_far, list)
                try:
                    so_far.append(running[way].round())
                except Failed as failed:
                    figures[way] = failed
                    del running[way]
    return figures
