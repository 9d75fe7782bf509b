"""A program for the standard library's multiprocessing, ported by one line: the import."""

from __future__ import annotations

from typing import Any

# from multiprocessing import Array, Lock, Process, Queue, Value
from memlane.multiprocessing import Array, Lock, Process, Queue, Value


def work(number: int, lock: Any, total: Any, squares: Any, done: Any) -> None:
    """Adds its number to a total, notes its square, and says that it is done."""
    with lock:
        total.value += number
    squares[number] = number**2
    done.put(number)


def main() -> None:
    """Starts four processes and collects what they did."""
    lock, total, squares = Lock(), Value("i", 0), Array("d", 4)
    done: Queue[int] = Queue()
    processes = [Process(target=work, args=(number, lock, total, squares, done)) for number in range(4)]
    for process in processes:
        process.start()
    finished = sorted(done.get(timeout=30) for _ in processes)
    for process in processes:
        process.join()
    print("finished", finished, "total", total.value, "squares", squares[:])


if __name__ == "__main__":
    main()
