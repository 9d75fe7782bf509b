"""The headline's reader: sleeps until a picture comes, and says how old it was when it had it, in microseconds."""

import sys
import time

import memlane

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 600
camera = memlane.FrameSubscriber("bench/headline", wait=None)
memlane.Event("bench/ready").set()
ages = []
while not ages or last < frames:
    with camera.next(timeout=5.0) as frame:
        ages.append((time.monotonic_ns() - frame.monotonic_ns) / 1000)
        last = frame.sequence
ages.sort()
p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
print(f"end to end {p50:.0f} us p50, {p99:.0f} p99, {camera.missed} missed of {frames}")
