// Every kind from C++: guards that give back, optionals for what did not come in time, exceptions for the rest.
#include "check.h"

#include <memlane.hpp>

#include <mutex>
#include <thread>

using namespace std::chrono_literals;

namespace app {

struct Sample {
    std::int8_t emg[8];
    double time;
    std::array<std::uint16_t, 3> level;
};
MEMLANE_DESCRIBE(Sample, emg, time, level);

struct Pose {
    std::uint8_t id;
    double x;
    Sample last;
};
MEMLANE_DESCRIBE(Pose, id, x, last);

} // namespace app

template <class Call> static bool fails(memlane_status status, Call call) {
    try {
        call();
    } catch (const std::system_error &error) {
        return error.code() == memlane::make_error_code(status) && std::string(error.what()).size() > 10;
    }
    return false;
}

static void schemas() {
    CHECK(memlane::schema<double>() == "<f8");
    CHECK(memlane::schema<app::Sample>() == "{emg@0:[8]|i1,time@8:<f8,level@16:[3]<u2;24}");
    memlane::Record<app::Sample> record("cpp/sample");
    CHECK(record.schema() == "{emg:[8]|i1,time:<f8,level:[3]<u2;24}");
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::Record<app::Pose>("cpp/sample"); }));
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::Record<app::Pose>("cpp/sample", memlane::Opening::open); }));
    CHECK(fails(MEMLANE_NOT_FOUND, [] { memlane::Record<app::Pose>("cpp/none", memlane::Opening::open); }));
}

static void cells() {
    memlane::Value<double> speed("cpp/speed", 1.5);
    CHECK(speed.add(1.0) == 2.5);
    double expected = 0;
    CHECK(!speed.compare_exchange(expected, 1) && expected == 2.5);
    auto seen = speed.read();
    CHECK(!speed.wait_newer(seen, 1ms));
    std::thread other([&] { speed.store(4); });
    CHECK(speed.wait_newer(seen).value == 4);
    other.join();

    memlane::Record<app::Pose> pose("cpp/pose");
    app::Pose written{};
    written.x = 3;
    const std::uint64_t version = pose.write(written);
    std::uint64_t stale = version - 1;
    CHECK(!pose.write_if(stale, written) && stale == version && pose.write_if(stale, written));
    CHECK(pose.read().value.x == 3);

    memlane::Text text("cpp/text", 100000);
    const std::string longer(5000, 'x');
    text.write(longer);
    CHECK(text.read().text == longer);
    text.write("");
    CHECK(text.read().text.empty());

    memlane::Array<float> joints("cpp/joints", 6);
    joints.store(2, 0.25F);
    CHECK(joints.load(2) == 0.25F && joints.size() == 6 && joints.data()[2] == 0.25F);
    CHECK(fails(MEMLANE_OUT_OF_RANGE, [&] { joints.load(6); }));
    memlane::Raw raw("cpp/raw", 64);
    CHECK(raw.bytes().size == 64);
}

static void locks() {
    memlane::Lock lock("cpp/lock");
    {
        memlane::LockGuard guard = lock.acquire();
        CHECK(!guard.owner_died() && lock.holder()->alive);
        std::thread([&] {
            CHECK(!lock.acquire(1ms));
            CHECK(!lock.try_lock());
        }).join();
        memlane::LockGuard moved = std::move(guard);
    }
    CHECK(!lock.holder());
    lock.acquire().abandon();
    CHECK(fails(MEMLANE_OWNER_DIED, [&] { std::lock_guard<const memlane::Lock> guard(lock); }));
    {
        auto guard = lock.acquire(0s);
        CHECK(guard && guard->owner_died());
        guard->make_consistent();
    }
    { std::scoped_lock<const memlane::Lock> guard(lock); }
    try {
        memlane::LockGuard guard = lock.acquire();
        (void)lock.acquire();
        CHECK(false);
    } catch (const memlane::Error &error) {
        CHECK(error.status() == MEMLANE_WOULD_DEADLOCK);
        CHECK(error.code() == std::errc::resource_deadlock_would_occur);
    }

    memlane::RwLock rwlock("cpp/rwlock");
    {
        auto reader = rwlock.read();
        CHECK(!rwlock.write(0s));
    }
    { auto writer = rwlock.write(); }

    memlane::Semaphore semaphore("cpp/semaphore", 1);
    semaphore.acquire();
    CHECK(!semaphore.acquire(1, 1ms));
    semaphore.release();
    memlane::SignalSemaphore signals("cpp/signals");
    signals.release();
    CHECK(signals.acquire(0s) && !signals.acquire(0s));
    memlane::Event event("cpp/event");
    CHECK(!event.wait(1ms));
    event.set();
    event.wait();
    memlane::Barrier barrier("cpp/barrier", 2);
    std::thread party([&] { barrier.wait(); });
    barrier.wait(10s);
    party.join();

    memlane::Condition condition("cpp/condition");
    memlane::Value<std::uint32_t> orders("cpp/orders");
    std::thread maker([&] {
        memlane::LockGuard guard = lock.acquire();
        orders.add(1);
        condition.notify_all();
    });
    {
        memlane::LockGuard guard = lock.acquire();
        while (orders.load() == 0) {
            condition.wait(lock);
        }
    }
    maker.join();
}

static void messages() {
    memlane_queue_options options = memlane::Queue::defaults();
    options.acknowledged = true;
    memlane::Queue jobs("cpp/jobs", options);
    const std::string job(1000, 'j');
    jobs.put(job, memlane::Tag::utf8);
    { memlane::Lease dropped = jobs.lease(); }
    auto lease = jobs.lease(1s);
    CHECK(lease && lease->redelivered() == 1 && lease->bytes() == job && lease->tag() == memlane::Tag::utf8);
    lease->acknowledge();
    CHECK(!jobs.lease(0s) && jobs.size() == 0);
    jobs.put(job);
    CHECK(jobs.take().bytes == job);
    CHECK(!jobs.take(1ms));
    {
        memlane::Reservation room = jobs.reserve(64);
        std::memcpy(room.data(), "hello", 5);
        room.commit(5, memlane::Tag::utf8);
    }
    CHECK(jobs.take().bytes == "hello");
    jobs.shut_down();
    CHECK(fails(MEMLANE_CLOSED, [&] { jobs.take(); }));

    memlane::PipeEnd right("cpp/pipe", memlane::Side::right);
    {
        memlane::PipeEnd left("cpp/pipe", memlane::Side::left);
        left.send(job);
        left.send("");
    }
    CHECK(right.receive().bytes == job);
    CHECK(right.receive(0s)->bytes.empty());
    CHECK(fails(MEMLANE_END_OF_PIPE, [&] { right.receive(); }));
}

static void frames() {
    memlane::FramePublisher camera("cpp/camera", memlane::image(4, 6, 3).history(4));
    CHECK(camera.schema().find("bgr8") != std::string::npos);
    memlane_subscriber_options two = memlane::FrameSubscriber::defaults();
    std::optional<memlane::FrameSubscriber> viewer(std::in_place, "cpp/camera", two);
    CHECK(!viewer->latest() && !viewer->next(1ms));
    {
        memlane::Loan loan = camera.loan();
        std::memset(loan.data(), 9, loan.size());
#if defined(__cpp_lib_span)
        CHECK(loan.bytes().size() == 72);
#endif
        memlane::Loan moved = std::move(loan);
        CHECK(moved.publish() == 1);
        CHECK(fails(MEMLANE_NULL_ARGUMENT, [&] { moved.publish(); }));
    }
    { memlane::Loan discarded = camera.loan(); }
    memlane::Frame frame = viewer->next();
    CHECK(frame.sequence() == 1 && frame.as<std::uint8_t>()[71] == 9 && frame.age() >= 0ns && viewer->missed() == 0);
    // A frame goes to another thread, and outlives its subscriber.
    std::thread worker([held = std::move(frame)] { CHECK(held.as<std::uint8_t>()[0] == 9); });
    worker.join();
    for (int round = 0; round < 100; ++round) {
        camera.loan().publish();
        std::optional<memlane::Frame> next = viewer->next(1s);
        CHECK(next && next->sequence() == static_cast<std::uint64_t>(round) + 2);
        std::thread([held = std::move(*next)] { (void)held; }).join();
    }
    camera.loan().publish();
    memlane::Frame last = *viewer->latest();
    viewer.reset();
    CHECK(last.size() == 72);

    memlane::FramePublisher jpegs("cpp/jpegs", memlane::FrameSpec::bytes(100).encoding("jpeg"));
    memlane::FrameSubscriber reader("cpp/jpegs");
    jpegs.publish("0123456789", 10);
    CHECK(reader.next().size() == 10);
    CHECK(fails(MEMLANE_TOO_LARGE, [&] { jpegs.loan().publish(101); }));
    const auto captured = std::chrono::system_clock::now() - 1s;
    jpegs.loan().publish(captured, 5);
    memlane::Frame older = reader.next();
    CHECK(older.age() >= 1s && older.captured_wall() == captured);
}

static void streams() {
    memlane::StreamPublisher<app::Sample> sensor("cpp/emg");
    memlane::StreamSubscriber<app::Sample> reader("cpp/emg");
    memlane::Event stop("cpp/stop");
    app::Sample sample{};
    CHECK(reader.last(10).values.empty() && !reader.next(0s));
    for (int at = 0; at < 20; ++at) {
        sample.time = at;
        sensor.append(sample);
    }
    const auto ready = memlane::wait_any(1s, reader, stop);
    CHECK(ready[0] && !ready[1]);
    CHECK(reader.next().value.time == 0);
    const auto last = reader.last(5);
    CHECK(last.values.size() == 5 && last.first == 15 && last.values[4].time == 19 && reader.lost() == 0);
}

// Calls that fail after the thread's own things are gone: a handle that is closed twice by the destructor of a static object.
static struct Late {
    memlane_event *event = nullptr;
    ~Late() {
        if (memlane_close(event) != MEMLANE_OK || memlane_close(event) != MEMLANE_CLOSED_HANDLE) {
            abort();
        }
        (void)memlane_last_error();
    }
} late;

int main() {
    CHECK(memlane::is_compatible());
    OK(memlane_event_open(nullptr, "cpp/late", MEMLANE_OPEN_OR_CREATE, false, &late.event));
    schemas();
    cells();
    locks();
    messages();
    frames();
    streams();
    return 0;
}
