"""The figures as rows: a Markdown table for people, lines of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from .figures import Spread
from .goals import Goal
from .pair import Failed
from .scenarios import Figure, Scenario

HEAD = "| what | ours | | beside | | ratio | goal |\n|---|---|---:|---|---:|---:|---:|"
DEATHS_HEAD = "| killed | of | what becomes of the others |\n|---|---|---|"

Measured = list[float] | Failed


@dataclass(frozen=True)
class Row:
    """Ours and theirs, round by round, or why there is nothing."""

    scenario: Scenario
    goal: Goal
    ours: Measured
    theirs: Measured | None

    @property
    def ratio(self) -> Spread | None:
        """Of the rounds, each by itself: what the machine did meanwhile, it did to both."""
        if not isinstance(self.ours, list) or not isinstance(self.theirs, list):
            return None
        return Spread.of([ours / theirs for ours, theirs in zip(self.ours, self.theirs)])

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal, or without figures."""
        bound = self.goal.bound
        if bound is None or isinstance(self.ours, Failed) or isinstance(self.theirs, Failed):
            return None
        figure = Spread.of(self.ours).median if self.ratio is None else self.ratio.median
        return figure >= bound if self.scenario.figure.more_is_better else figure <= bound

    def markdown(self) -> str:
        """A row of the table."""
        ratio = self.ratio
        cells = [
            self.scenario.what,
            self.goal.ours,
            self._figure(self.ours),
            self.goal.theirs or "",
            "" if self.theirs is None else self._figure(self.theirs),
            "" if ratio is None else f"{ratio.median:.2f} ({ratio.p10:.2f}–{ratio.p90:.2f})",
            self._verdict(),
        ]
        return f"| {' | '.join(cells)} |"

    def _figure(self, measured: Measured) -> str:
        if isinstance(measured, Failed):
            return str(measured)
        spread = Spread.of(measured)
        show = _rate if self.scenario.figure is Figure.RATE else _time
        return f"{show(spread.median)} ({show(spread.p10)}–{show(spread.p90)})"

    def _verdict(self) -> str:
        bound = self.goal.bound
        if bound is None:
            return ""
        show = (_rate if self.scenario.figure is Figure.RATE else _time) if self.theirs is None else "{:g}".format
        sign = "≥" if self.scenario.figure.more_is_better else "≤"
        mark = {True: "✓", False: "✗", None: "–"}[self.met]
        return f"{sign} {show(bound)} {mark}"

    def json(self) -> str:
        """A line."""
        ratio = self.ratio
        return json.dumps(
            {
                "what": self.scenario.what,
                "figure": self.scenario.figure.value,
                "ours": {self.goal.ours: _plain(self.ours)},
                "theirs": {self.goal.theirs: _plain(self.theirs)} if self.goal.theirs else None,
                "ratio": None if ratio is None else [ratio.p10, ratio.median, ratio.p90],
                "goal": self.goal.bound,
                "met": self.met,
            }
        )


def _plain(measured: Measured | None) -> Sequence[float] | str | None:
    """Each round's figure, or why there is none."""
    return str(measured) if isinstance(measured, Failed) else measured


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _rate(rate: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:.3g} {unit}/s"
    return f"{rate:.3g} /s"


def death_markdown(who: str, way: str, outcome: str) -> str:
    """A row of the table of deaths."""
    return f"| {who} | {way} | {outcome} |"


def death_json(who: str, way: str, outcome: str) -> str:
    """A line."""
    return json.dumps({"killed": who, "of": way, "outcome": outcome})
