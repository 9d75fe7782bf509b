"""LibEMG's own shared memory, told line by line what to do with it and answering with a line each.

Its module is loaded by itself: the rest of the package needs much that is not needed here.
"""

import importlib.util
import multiprocessing
import pathlib
import sys
import time

import numpy as np

package = importlib.util.find_spec("libemg")
path = pathlib.Path(package.origin).parent / "shared_memory_manager.py"
spec = importlib.util.spec_from_file_location("shared_memory_manager", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

prefix = sys.argv[1]
items = [
    [prefix + "emg", (1000, 8), np.double, multiprocessing.Lock()],
    [prefix + "emg_count", (1, 1), np.int32, multiprocessing.Lock()],
    [prefix + "imu", (250, 10), np.double, multiprocessing.Lock()],
    [prefix + "imu_count", (1, 1), np.int32, multiprocessing.Lock()],
]
memory = module.SharedMemoryManager()


def rows_and_count(kind):
    """The count is taken first: rows that are younger do no harm."""
    count = int(memory.get_variable(prefix + kind + "_count")[0, 0])
    return memory.get_variable(prefix + kind), count


def find():
    return all(memory.find_variable(*item) for item in items)


def create():
    return all(memory.create_variable(*item) for item in items)


def look(kind):
    """The count and the first column of the newest rows."""
    rows, count = rows_and_count(kind)
    return f"{count} {' '.join(str(int(number)) for number in rows[:5, 0])}"


def watch(kind, last):
    """Looks while somebody writes rows that have their number, from 1, in every column, until that one is there.

    LibEMG's lock is not the writer's, so that rows may be moving while they are copied: what two copies in a row agree on
    is right, unless the writer was put to sleep while it moved them, which shows as one seam where rows come twice. A
    count is never ahead of any copy.
    """
    before, newest, whole, seams = None, 0, 0, 0
    while newest < int(last):
        rows, count = rows_and_count(kind)
        if count > rows[0, 0] or rows[0, 0] < newest:
            return f"count {count}, last {newest}, rows {rows[:4, 0]}"
        newest = int(rows[0, 0])
        if before is not None and (before == rows).all():
            filled = rows[rows[:, 0] > 0]
            steps = np.diff(filled, axis=0)
            if (steps == -1).all():
                whole += 1
            elif (steps != -1).any(axis=1).sum() <= 2:
                seams += 1
            else:
                return f"rows are not in order: {rows[:, 0]}"
        before = rows
    return "as it should be" if whole > 10 * seams else f"{whole} times whole, {seams} times not"


def add(kind, first, number):
    """What LibEMG's streamer does with a packet: new rows on top, then the count."""
    columns = 8 if kind == "emg" else 10
    new = np.arange(int(first) + int(number) - 1, int(first) - 1, -1.0)[:, None].repeat(columns, axis=1)
    memory.modify_variable(prefix + kind, lambda rows: np.vstack((new, rows))[: len(rows)])
    memory.modify_variable(prefix + kind + "_count", lambda count: count + int(number))
    return "added"


def stream(kind, packets):
    """So many packets of two samples, a millisecond apart."""
    for number in range(int(packets)):
        add(kind, 2 * number + 1, 2)
        time.sleep(0.001)
    return "streamed"


def reset(kind):
    memory.modify_variable(prefix + kind, np.zeros_like)
    memory.modify_variable(prefix + kind + "_count", np.zeros_like)
    return "reset"


for line in sys.stdin:
    name, *arguments = line.split()
    print(globals()[name](*arguments), flush=True)
memory.cleanup(parent=False)
