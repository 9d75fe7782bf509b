"""Stand-in for the Python programs that share a text in 4096 bytes, with the standard library alone.

usage: text_block.py NAME ACTION [TEXT [COUNT]]

create      makes the block, says "ready", removes it when standard input ends
attach      attaches it, says "ready", ends when standard input does: Python < 3.13 then removes its name
hold        attaches it, takes the lock, says "ready", gives it back when standard input ends
read        prints the text as the documented reader and as the code's reader find it, in JSON
code        writes TEXT COUNT times as the original's code does; COUNT > 1: each with its number before it
documented  writes TEXT COUNT times in the documented form

All but "attach" leave the name alone when they end.
"""

import json
import struct
import sys
import time
from multiprocessing import resource_tracker, shared_memory

SIZE, LENGTH, CODE_LENGTH, TEXT = 4096, 1, 4, 5


class Lock:
    """Check, then set: not atomic, as in the original."""

    def __init__(self, block):
        self.block = block

    def __enter__(self):
        deadline = time.monotonic() + 5.0
        while self.block.buf[0] != 0:
            if time.monotonic() > deadline:
                sys.exit("the lock is held")
            time.sleep(0.01)
        self.block.buf[0] = 1

    def __exit__(self, *_):
        self.block.buf[0] = 0


def write(block, text, as_code):
    data = text.rstrip().encode()
    with Lock(block):
        struct.pack_into("<I", block.buf, CODE_LENGTH if as_code else LENGTH, len(data))
        block.buf[TEXT:SIZE] = data.ljust(SIZE - TEXT, b"\0")


def read(block):
    with Lock(block):
        image = bytes(block.buf[:SIZE])
    length = struct.unpack_from("<I", image, LENGTH)[0]
    documented = image[TEXT : TEXT + length].decode(errors="replace")
    return [documented, image[TEXT:].rstrip(b"\0").decode(errors="replace")]


def ready():
    print("ready", flush=True)
    sys.stdin.read()


def main():
    name, action, *rest = sys.argv[1:]
    text, count = (rest + ["", "1"][len(rest) :])[0], int(rest[1]) if len(rest) > 1 else 1
    if action == "create":
        block = shared_memory.SharedMemory(name=name, create=True, size=SIZE)
        ready()
        block.close()
        block.unlink()
        return
    block = shared_memory.SharedMemory(name=name)
    if action != "attach":
        resource_tracker.unregister(block._name, "shared_memory")
    if action == "attach":
        ready()
    elif action == "hold":
        with Lock(block):
            ready()
    elif action == "read":
        print(json.dumps(read(block)))
    else:
        for number in range(count):
            write(block, text if count == 1 else f"{number} {text}", action == "code")
    block.close()


main()
