"""A pool of workers over an acknowledged queue. One of them is killed at its work; every job is done all the same."""

from __future__ import annotations

import os
import queue
import signal

import memlane
from memlane.multiprocessing import Process

JOBS = 20


def worker(jobs: memlane.Queue, results: memlane.Queue) -> None:
    """Takes jobs on approval: acknowledged when done, handed out again when this process dies first."""
    while True:
        try:
            lease = jobs.lease(timeout=1.0)
        except queue.Empty:
            return
        with lease:
            number = lease.value
            if number == 7 and lease.redelivered == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            results.put((number, number**2, lease.redelivered))


def main() -> None:
    """Puts the jobs, starts the workers, prints what they found."""
    jobs = memlane.Queue(None, 65536, acknowledged=True)
    results = memlane.Queue(None, 65536)
    for number in range(JOBS):
        jobs.put(number)
    workers = [Process(target=worker, args=(jobs, results)) for _ in range(3)]
    for process in workers:
        process.start()
    found = dict[int, int]()
    while len(found) < JOBS:
        number, square, redelivered = results.get(timeout=10)
        found[number] = square
        if redelivered:
            print(f"job {number} was handed out again: its worker was killed")
    for process in workers:
        process.join()
    print(f"{len(found)} jobs done, the sum of the squares is {sum(found.values())}")


if __name__ == "__main__":
    main()
