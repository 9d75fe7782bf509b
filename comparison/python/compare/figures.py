"""What many measurements of one thing come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of all measurements, and the percentiles between which most of them lie. None is left out."""

    p10: float
    median: float
    p90: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of at least one figure."""
        in_order = sorted(figures)
        return cls(*(_percentile(in_order, share) for share in (0.1, 0.5, 0.9)))


def _percentile(in_order: Sequence[float], share: float) -> float:
    place = share * (len(in_order) - 1)
    below, above = in_order[math.floor(place)], in_order[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))
