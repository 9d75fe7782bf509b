"""A sensor at 200 Hz, and an application that looks at its last samples whenever it likes. Neither stalls the other."""

from __future__ import annotations

import math
import time

import memlane
import numpy as np
from memlane.multiprocessing import Process

RATE = 200


def streamer(seconds: float) -> None:
    """What a device driver does: one record a sample."""
    sample = {"t": 0.0, "emg": np.zeros(8, "int16")}
    with memlane.StreamPublisher("myo/emg", sample, capacity=10 * RATE) as stream:
        for number in range(int(seconds * RATE)):
            t = number / RATE
            level = int(1000 * math.sin(2 * math.pi * t))
            stream.append({"t": t, "emg": [level // (channel + 1) for channel in range(8)]})
            time.sleep(1 / RATE)


def main() -> None:
    """Starts the streamer, and works on windows of half a second until it ends."""
    process = Process(target=streamer, args=(2.0,))
    process.start()
    with memlane.StreamSubscriber("myo/emg", wait=10) as emg:
        window = np.zeros(RATE // 2, emg.dtype)
        while process.is_alive():
            samples = emg.last(len(window), out=window)
            rms = np.sqrt(np.mean(np.square(samples["emg"], dtype="float64"), axis=0)) if len(samples) else []
            print(f"{emg.published} samples, level per channel:", np.round(rms, 1))
            time.sleep(0.25)
    process.join()


if __name__ == "__main__":
    main()
