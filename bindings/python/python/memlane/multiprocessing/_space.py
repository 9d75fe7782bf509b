"""Where the regions of this package are, and how they are named.

A nameless object is an ephemeral region: it lasts as long as some process has it open, and is found by its
handle alone. An object with a name is an ordinary region of the default space, which stays until it is
unlinked.
"""

from __future__ import annotations

import os
from typing import Callable, TypeVar

from .. import Space

_T = TypeVar("_T")

# Room for the processes of a pool with several workers a processor; a region has room for 4095 at most.
PARTICIPANTS = min(4095, max(128, 4 * (os.cpu_count() or 1)))


def space(name: str | None) -> Space:
    """The space for an object of that name. Spaces are cheap, and follow `$MEMLANE_DIR` as it is now."""
    return Space(participants=PARTICIPANTS, ephemeral=name is None)


def make_or_open(make: Callable[[bool], _T]) -> tuple[_T, bool]:
    """What `make(create)` returns, and whether it was made just now and so has to be filled."""
    while True:
        try:
            return make(True), True
        except FileExistsError:
            pass
        try:
            return make(False), False
        except FileNotFoundError:
            # Somebody removed it in between: once more from the beginning.
            continue
