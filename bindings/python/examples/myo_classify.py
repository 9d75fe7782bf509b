"""Tells a tense arm from one at rest, and drives a value with it that any other program can read or wait for.

A window is tense when one of its channels is far stronger than at rest. `memlane watch arm/tension` shows the value change.
"""

from __future__ import annotations

import argparse
import contextlib

import memlane
import numpy as np
import numpy.typing as npt
from memlane.devices import Myo, simulated_myo

WINDOW = 40  # samples: 200 ms
OVERLAP = 20
# The strongest channel: that of a gesture is 10 to 55, at rest up to 8 or so.
THRESHOLD = 12.0


def strength(window: npt.NDArray[np.void]) -> float:
    """The strength of the strongest channel: the root of the mean square, about its mean."""
    return float(window["emg"].astype("float64").std(axis=0).max())


def main() -> None:
    """Classifies so many windows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--windows", type=int, default=300)
    arguments = parser.parse_args()
    source: contextlib.AbstractContextManager[Myo] = simulated_myo() if arguments.simulate else Myo(wait=None)
    with source as myo, memlane.Value("arm/tension", 0.0) as tension:
        tense = 0
        was_tense = False
        for number, window in enumerate(myo.windows(WINDOW, OVERLAP, timeout=10)):
            tension.value = strength(window)
            is_tense = tension.value > THRESHOLD
            tense += is_tense
            if is_tense != was_tense:
                print("tense" if is_tense else "at rest", f"({tension.value:.1f}), the armband says {myo.pose}")
            was_tense = is_tense
            if number + 1 == arguments.windows:
                break
        print(f"{tense} of {arguments.windows} windows were tense")


if __name__ == "__main__":
    main()
