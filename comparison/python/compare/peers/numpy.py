"""NumPy: what it costs to copy a picture at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from ..scenarios import SHAPE, Picture

# As many as a channel with two frames of history goes round, so that neither has the better cache.
_PLACES = 3


class CopyTo:
    """`numpy.copyto`, from one picture to a few places in turn."""

    def __init__(self, name: str) -> None:
        """Nobody shares it: the name is of no use."""

    def writer(self) -> Callable[[Picture], object]:
        """Copies into the next place."""
        places = cycle([np.zeros(SHAPE, "uint8") for _ in range(_PLACES)])

        def write(picture: Picture) -> None:
            np.copyto(next(places), picture)

        return write
