"""An asyncio program that takes jobs from a queue and waits for an event at once. One thread waits for all of it."""

from __future__ import annotations

import asyncio
import threading

import memlane


async def consume(jobs: memlane.Queue) -> int:
    """Takes jobs until the queue is shut down."""
    count = 0
    async for job in jobs:
        print("got", job)
        count += 1
    return count


async def main() -> None:
    """Runs both; what is put below might as well be put by another process."""
    jobs, stop = memlane.Queue(None, 65536), memlane.Event(None)
    consumer = asyncio.create_task(consume(jobs))
    for number in range(3):
        threading.Timer(0.1 + number / 100, jobs.put, [number]).start()
    threading.Timer(0.3, stop.set).start()
    await stop.async_wait()
    jobs.shutdown()
    print(await consumer, "jobs")


if __name__ == "__main__":
    asyncio.run(main())
