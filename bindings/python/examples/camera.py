"""A camera and a viewer: pictures go from process to process without a copy.

    python camera.py                      # publishes a test picture until Ctrl-C
    python camera.py --source 0           # what OpenCV reads from the first camera, or from a video
    python camera.py --view               # in another terminal, as many as you like
    python camera.py --view --save a.png  # keeps the last picture, with OpenCV
"""

from __future__ import annotations

import argparse
import itertools
import time

import memlane
import numpy as np

SHAPE = (404, 640, 3)


def publish(pictures: int | None) -> None:
    """Publishes a grey that wanders, at 60 pictures a second."""
    with memlane.FramePublisher("camera/front", SHAPE, "uint8", history=4) as camera:
        for number in itertools.islice(itertools.count(), pictures):
            with camera.loan() as frame:
                frame.array[...] = number % 256
            time.sleep(1 / 60)


def capture(source: str, pictures: int | None) -> None:
    """Publishes what OpenCV reads, which it writes straight into shared memory."""
    import cv2

    device = cv2.VideoCapture(int(source)) if source.isdigit() else cv2.VideoCapture(source)
    if not device.isOpened():
        raise SystemExit(f"OpenCV cannot read {source}: neither the number of a camera nor a video")
    shape = int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), 3
    with memlane.FramePublisher("camera/front", shape, "uint8", history=4) as camera:
        for _ in itertools.islice(itertools.count(), pictures):
            with camera.loan() as frame:
                if not device.read(frame.array)[0]:
                    frame.discard()
                    return


def view(pictures: int | None, save: str | None) -> None:
    """Looks at each picture where it lies; one that is too slow skips some, and knows how many."""
    with memlane.FrameSubscriber("camera/front", history=1, wait=None) as viewer:
        for frame in itertools.islice(viewer, pictures):
            grey = float(np.mean(frame.array))
            print(f"picture {frame.sequence}: grey {grey:.0f}, {frame.age * 1e3:.2f} ms old, {viewer.missed} missed")
        if save is not None:
            import cv2

            cv2.imwrite(save, frame.array)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--view", action="store_true", help="look instead of publishing")
    parser.add_argument("--source", help="the number of a camera, or a video, for OpenCV to read")
    parser.add_argument("--pictures", type=int, help="end after so many")
    parser.add_argument("--save", help="where the viewer keeps its last picture")
    arguments = parser.parse_args()
    if arguments.view:
        view(arguments.pictures, arguments.save)
    elif arguments.source is not None:
        capture(arguments.source, arguments.pictures)
    else:
        publish(arguments.pictures)


if __name__ == "__main__":
    main()
