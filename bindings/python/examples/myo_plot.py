"""The eight channels of a Myo armband, live: with matplotlib if it is installed, else as bars of text.

`memlane myo` streams the armband; `--simulate` does without one.
"""

from __future__ import annotations

import argparse
import contextlib
import time

import numpy as np
from memlane.devices import Myo, simulated_myo

SECOND = 200


def plot(myo: Myo, seconds: float) -> None:
    """Draws the last five seconds, channel over channel."""
    from matplotlib import pyplot  # type: ignore[import-not-found,import-untyped,unused-ignore]

    figure, axes = pyplot.subplots()
    lines = [axes.plot([], [])[0] for _ in range(8)]
    axes.set(xlim=(-5, 0), ylim=(-128, 8 * 256 - 128), xlabel="s", yticks=[])
    end = time.monotonic() + seconds
    while time.monotonic() < end and pyplot.fignum_exists(figure.number):
        recent = myo.last(5 * SECOND)
        now = time.monotonic()
        for channel, line in enumerate(lines):
            line.set_data(recent["t"] - now, recent["emg"][:, channel] + 256.0 * channel)
        axes.set_title(f"{myo.pose}, battery {myo.battery} %")
        pyplot.pause(1 / 30)


def print_bars(myo: Myo, seconds: float) -> None:
    """Prints the strength of each channel, five times a second."""
    for number, window in enumerate(myo.windows(SECOND // 5, timeout=10)):
        strength = np.sqrt(np.mean(np.square(window["emg"], dtype="float64"), axis=0))
        bars = " ".join(f"{'#' * int(value / 8):<8}" for value in strength)
        print(f"{bars} {myo.pose:<10} battery {myo.battery} %")
        if number + 1 >= 5 * seconds:
            return


def main() -> None:
    """Looks for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--text", action="store_true", help="bars, also where matplotlib is installed")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    source: contextlib.AbstractContextManager[Myo] = simulated_myo() if arguments.simulate else Myo(wait=None)
    with source as myo:
        if not arguments.text:
            with contextlib.suppress(ImportError):
                return plot(myo, arguments.seconds)
        print_bars(myo, arguments.seconds)


if __name__ == "__main__":
    main()
