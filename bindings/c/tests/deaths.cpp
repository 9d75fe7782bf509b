// Processes that are killed in the middle, by a real SIGKILL, and what the others see.
#include "check.h"

#include <memlane.hpp>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace std::chrono_literals;

// Runs `body` in another process, which says by the event that it is where it is to die, and kills it there.
template <class Body> static void killed_in(const char *where, Body body) {
    memlane::Event reached(where);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        body(memlane::Event(where));
        _exit(0);
    }
    reached.wait();
    CHECK(kill(child, SIGKILL) == 0);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// Where a child waits for its end.
[[noreturn]] static void here(const memlane::Event &reached) {
    reached.set();
    for (;;) {
        pause();
    }
}

static void with_a_lock() {
    killed_in("deaths/at/lock", [](const memlane::Event &reached) {
        memlane::Lock lock("deaths/lock");
        memlane::LockGuard guard = lock.acquire();
        here(reached);
    });
    memlane::Lock lock("deaths/lock");
    CHECK(!lock.holder()->alive);
    memlane::LockGuard guard = lock.acquire();
    CHECK(guard.owner_died());
    guard.make_consistent();
    guard.release();
    CHECK(!lock.acquire().owner_died());
}

static void with_a_loan() {
    killed_in("deaths/at/loan", [](const memlane::Event &reached) {
        memlane::FramePublisher camera("deaths/camera", memlane::image(4, 6, 3));
        memlane::Loan whole = camera.loan();
        std::memset(whole.data(), 1, whole.size());
        whole.publish();
        memlane::Loan half = camera.loan();
        std::memset(half.data(), 2, half.size() / 2);
        here(reached);
    });
    memlane_subscriber_options options = memlane::FrameSubscriber::defaults();
    options.history = 1;
    options.report_death = true;
    memlane::FrameSubscriber viewer("deaths/camera", options);
    memlane::Frame last = viewer.next();
    CHECK(last.sequence() == 1 && last.as<std::uint8_t>()[71] == 1);
    try {
        (void)viewer.next();
        CHECK(false);
    } catch (const memlane::Error &error) {
        CHECK(error.status() == MEMLANE_PUBLISHER_DIED);
    }
    memlane::FramePublisher camera("deaths/camera", memlane::image(4, 6, 3));
    memlane::Loan next = camera.loan();
    CHECK(next.sequence() == 2);
    next.publish();
    CHECK(viewer.next().sequence() == 2);
}

static void with_a_frame() {
    memlane::FramePublisher camera("deaths/held", memlane::image(4, 6, 3).borrows(2));
    camera.loan().publish();
    killed_in("deaths/at/frame", [](const memlane::Event &reached) {
        memlane_subscriber_options options = memlane::FrameSubscriber::defaults();
        options.history = 1;
        memlane::FrameSubscriber viewer("deaths/held", options);
        memlane::Frame frame = viewer.next();
        here(reached);
    });
    // What it had claimed was all there was, and is had again.
    memlane::FrameSubscriber viewer("deaths/held");
    for (int round = 0; round < 10; ++round) {
        camera.loan().publish();
        CHECK(viewer.next(1s));
    }
}

static void with_a_lease() {
    memlane_queue_options options = memlane::Queue::defaults();
    options.acknowledged = true;
    memlane::Queue jobs("deaths/jobs", options);
    jobs.put("frame 7");
    killed_in("deaths/at/lease", [&](const memlane::Event &reached) {
        memlane::Queue own("deaths/jobs", options);
        memlane::Lease lease = own.lease();
        here(reached);
    });
    memlane::Lease lease = jobs.lease();
    CHECK(lease.bytes() == "frame 7" && lease.redelivered() == 1);
    lease.acknowledge();
}

static void with_a_permit_and_in_a_pipe() {
    memlane::PipeEnd right("deaths/pipe", memlane::Side::right);
    memlane::Semaphore semaphore("deaths/semaphore", 1);
    killed_in("deaths/at/permit", [](const memlane::Event &reached) {
        memlane::Semaphore own("deaths/semaphore", 1);
        own.acquire();
        memlane::PipeEnd left("deaths/pipe", memlane::Side::left);
        left.send("last words");
        here(reached);
    });
    semaphore.acquire();
    CHECK(right.receive().bytes == "last words");
    try {
        (void)right.receive();
        CHECK(false);
    } catch (const memlane::Error &error) {
        CHECK(error.status() == MEMLANE_END_OF_PIPE);
    }
}

int main() {
    with_a_lock();
    with_a_loan();
    with_a_frame();
    with_a_lease();
    with_a_permit_and_in_a_pipe();
    return 0;
}
