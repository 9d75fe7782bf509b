"""The reader of the 24-byte-header picture, as its original does it: opens and maps the file for each picture and looks
every millisecond. Says how old pictures were when it had copied them, as exactly as their milliseconds allow.
"""

import mmap
import os
import struct
import sys
import time

HEADER = struct.Struct("<iiiqi")

path, size, pictures = "/dev/shm/" + sys.argv[1], HEADER.size + int(sys.argv[2]), int(sys.argv[3])
while not os.path.exists(path) or os.path.getsize(path) < size:
    time.sleep(0.001)
ages, seen, deadline = [], 0, time.monotonic() + 5.0
while len(ages) < pictures and time.monotonic() < deadline:
    descriptor = os.open(path, os.O_RDONLY)
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as memory:
        *_, timestamp, valid = HEADER.unpack_from(memory)
        if valid != 1 or timestamp == seen:
            time.sleep(0.001)
        else:
            picture = memory[HEADER.size :]
            ages.append(time.time() * 1000 - timestamp)
            # The writer is done when nothing new comes for so long.
            seen, deadline = timestamp, time.monotonic() + 0.5
    os.close(descriptor)
ages.sort()
p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
print(f"mmap, a flag and polling: {p50:.1f} ms p50, {p99:.1f} p99, {pictures - len(ages)} missed of {pictures}")
