"""The Python reader of the 24-byte-header picture, as its original does it, without numpy and a window.

usage: mmap_reader.py NAME WIDTH HEIGHT PICTURES [lockstep]

For each picture: opens the file, maps exactly its bytes, checks the resolution, polls `valid` every
millisecond for ever, copies. Prints one line per picture: timestamp, width, height, channels, and the frame
number or "torn". With `lockstep` it reads a picture whenever a line comes in on standard input.

The pixels of a whole picture, as little-endian 64-bit words, are (frame << 16) | (index of the word % 512).
"""

import mmap
import os
import struct
import sys
import time

HEADER = struct.Struct("<iiiqi")
VALID = struct.Struct("<i")
VALID_OFFSET = 20
CHANNELS = 3
assert HEADER.size == 24


def read_picture(path, width, height):
    size = HEADER.size + width * height * CHANNELS
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as memory:
            found_width, found_height, channels, _, _ = HEADER.unpack_from(memory)
            if (found_width, found_height) != (width, height):
                sys.exit(f"resolution {found_width}x{found_height}, expected {width}x{height}")
            while VALID.unpack_from(memory, VALID_OFFSET)[0] != 1:
                time.sleep(0.001)
            timestamp = HEADER.unpack_from(memory)[3]
            return timestamp, channels, memory[HEADER.size : size]
    finally:
        os.close(descriptor)


def frame_of(pixels):
    frame = struct.unpack_from("<Q", pixels)[0] >> 16
    tile = struct.pack("<512Q", *(frame << 16 | index for index in range(512)))
    whole = tile * (len(pixels) // len(tile) + 1)
    return frame if pixels == whole[: len(pixels)] else "torn"


def main():
    name, width, height, pictures = sys.argv[1], *map(int, sys.argv[2:5])
    lockstep = sys.argv[5:] == ["lockstep"]
    for _ in range(pictures):
        if lockstep and not sys.stdin.readline():
            return
        timestamp, channels, pixels = read_picture("/dev/shm/" + name, width, height)
        print(timestamp, width, height, channels, frame_of(pixels), flush=True)


main()
