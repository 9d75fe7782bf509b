"""A camera and a viewer: pictures go from process to process without a copy.

    python camera.py            # publishes until Ctrl-C
    python camera.py --view     # in another terminal, as many as you like
"""

from __future__ import annotations

import argparse
import itertools
import time

import memlane
import numpy as np

SHAPE = (404, 640, 3)


def publish(pictures: int | None) -> None:
    """Publishes a grey that wanders, at 60 pictures a second; OpenCV's `VideoCapture.read(frame.array)` would do."""
    with memlane.FramePublisher("camera/front", SHAPE, "uint8", history=4) as camera:
        for number in itertools.count():
            if number == pictures:
                return
            with camera.loan() as frame:
                frame.array[...] = number % 256
            time.sleep(1 / 60)


def view(pictures: int | None) -> None:
    """Looks at each picture where it lies; one that is too slow skips some, and knows how many."""
    with memlane.FrameSubscriber("camera/front", wait=None) as viewer:
        for frame in itertools.islice(viewer, pictures):
            grey = float(np.mean(frame.array))
            print(f"picture {frame.sequence}: grey {grey:.0f}, {frame.age * 1e3:.2f} ms old, {viewer.missed} missed")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--view", action="store_true", help="look instead of publishing")
    parser.add_argument("--pictures", type=int, help="end after so many")
    arguments = parser.parse_args()
    (view if arguments.view else publish)(arguments.pictures)


if __name__ == "__main__":
    main()
