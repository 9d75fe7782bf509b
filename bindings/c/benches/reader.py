"""A reader that sleeps until a picture comes: `reader.py PICTURES`. Says how old they were when it had them, in
microseconds since just before they were published, how many it missed, and whether each was whole.
"""

import sys
import time

import memlane

pictures = int(sys.argv[1])
camera = memlane.FrameSubscriber("bench/pictures", wait=None)
memlane.Event("bench/ready").set()
ages, torn, last = [], 0, 0
while last < pictures:
    with camera.next(timeout=5.0) as frame:
        ages.append((time.monotonic_ns() - frame.monotonic_ns) / 1000)
        last = frame.sequence
        whole = frame.array
        torn += not whole.min() == whole.max() == last % 256
assert len(ages) + camera.missed == pictures, "each picture is seen, or counted as missed"
ages.sort()
p50, p90, p99 = (ages[len(ages) * percent // 100] for percent in (50, 90, 99))
print(f"end to end: {p50:.0f} us p50, {p90:.0f} p90, {p99:.0f} p99, {ages[-1]:.0f} at worst", end="; ")
print(f"{camera.missed} missed of {pictures}, {torn} torn")
