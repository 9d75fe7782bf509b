// Every kind from C++: guards that give back, optionals for what did not come in time, exceptions for the rest.
#include "check.h"

#include <memlane.hpp>

#include <cmath>
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

// Whether a thing can be asked for what is good only as long as it lives, when it ends at once.
template <class T, class = void> struct Lends : std::false_type {};
template <class T> struct Lends<T, std::void_t<decltype(std::declval<T>().loan())>> : std::true_type {};
template <class T, class = void> struct Guards : std::false_type {};
template <class T> struct Guards<T, std::void_t<decltype(std::declval<T>().acquire())>> : std::true_type {};
template <class T, class = void> struct Reads : std::false_type {};
template <class T> struct Reads<T, std::void_t<decltype(std::declval<T>().read())>> : std::true_type {};
template <class T, class = void> struct Lies : std::false_type {};
template <class T> struct Lies<T, std::void_t<decltype(std::declval<T>().data())>> : std::true_type {};
static_assert(Lends<memlane::FramePublisher &>::value && !Lends<memlane::FramePublisher>::value);
static_assert(Guards<const memlane::Lock &>::value && !Guards<memlane::Lock>::value && !Guards<memlane::RLock>::value);
static_assert(Reads<memlane::RwLock &>::value && !Reads<memlane::RwLock>::value);
static_assert(Lies<memlane::Array<float> &>::value && !Lies<memlane::Array<float>>::value);

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
    float sum = 0;
    for (float joint : joints) {
        sum += joint;
    }
    CHECK(sum == 0.25F);
    memlane::Value<long long> count("cpp/count", -3);
    CHECK(memlane::Value<std::int64_t>("cpp/count").load() == -3 && memlane::schema<unsigned long long>() == "<u8");
    memlane::Raw raw("cpp/raw", 64);
    CHECK(raw.bytes().size == 64);
    std::thread writer([&] {
        joints.store(0, 1);
        raw.write(0, "1", 1);
    });
    CHECK(joints.wait_newer(0) > 0 && raw.wait_newer(0) > 0);
    writer.join();
}

// A type over bytes that are of another type is refused, however they are opened.
static void types() {
    using memlane::Opening;
    memlane::Array<float> joints("cpp/types/joints", 6);
    CHECK(memlane::Array<float>("cpp/types/joints", 6, Opening::open).size() == 6);
    CHECK(memlane::Array<float>("cpp/types/joints", 0, Opening::open).size() == 6);
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::Array<double>("cpp/types/joints", 6, Opening::open); }));
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::Array<double>("cpp/types/joints", 0, Opening::open); }));
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::Array<app::Pose>("cpp/types/joints", 0, Opening::open); }));
    try {
        memlane::Array<float>("cpp/types/joints", 7, Opening::open);
        CHECK(false);
    } catch (const memlane::Error &error) {
        CHECK(std::strstr(error.what(), "[6]<f4") && std::strstr(error.what(), "[7]<f4"));
    }

    memlane::StreamPublisher<app::Sample> sensor("cpp/types/stream");
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::StreamSubscriber<double>("cpp/types/stream"); }));
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::StreamSubscriber<app::Pose>("cpp/types/stream"); }));
    memlane::StreamSubscriber<app::Sample> reader("cpp/types/stream");
    memlane::StreamPublisher<std::int8_t[8]> bytes("cpp/types/bytes");
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] { memlane::StreamSubscriber<std::int8_t>("cpp/types/bytes"); }));
    { memlane::StreamPublisher<float> numbers("cpp/types/numbers"); }
    CHECK(fails(MEMLANE_SCHEMA_MISMATCH, [] {
        memlane::StreamPublisher<double>("cpp/types/numbers", memlane::StreamPublisher<double>::defaults(), Opening::open);
    }));
}

// Every duration is a timeout.
static void timeouts() {
    using Days = std::chrono::duration<double, std::ratio<86400>>;
    memlane::Event event("cpp/timeouts");
    CHECK(!event.wait(std::chrono::duration<double>(0.001)) && !event.wait(std::chrono::duration<float, std::milli>(1)));
    CHECK(!event.wait(-1s) && !event.wait(std::chrono::hours::min()) && !event.wait(Days(-1e300)));
    event.set();
    CHECK(event.wait(std::chrono::hours::max()) && event.wait(Days(1e300)) && event.wait(Days(0.5)));
    const auto count = [](memlane::Timeout timeout) { return timeout.nanoseconds(); };
    CHECK(count(3ns) == 3 && count(std::chrono::duration<double>(0.25)) == 250000000);
    CHECK(count(std::chrono::hours::max()) == INT64_MAX && count(std::chrono::hours::min()) == 0);
    CHECK(count(std::chrono::duration<double>(NAN)) == 0 && count(1h) == 3600000000000);
    // The one that has no end, and the one beside it that has passed.
    event.clear();
    std::thread setter([&] {
        std::this_thread::sleep_for(20ms);
        event.set();
    });
    CHECK(event.wait(std::chrono::nanoseconds(MEMLANE_FOREVER)));
    setter.join();
    event.clear();
    CHECK(!event.wait(-1ns));
}

// Regions are found by any text, in a space by reference or pointer.
static void places() {
    memlane::Space space((std::string(std::getenv("MEMLANE_DIR")) + "/inner").c_str());
    const std::string id = "cpp/places/number";
    memlane::Value<int> inner(id, 7, memlane::Opening::create, space);
    CHECK(memlane::Value<int>(std::string_view(id), 0, memlane::Opening::open, &space).load() == 7);
    CHECK(space.contains(id) && !memlane::Space().contains(id));
    memlane::Lock own = memlane::lock_of(inner);
    memlane::LockGuard guard = own.acquire();
    CHECK(memlane::lock_of(inner).holder()->alive);
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
    {
        memlane::Reservation room = jobs.reserve(4);
        CHECK(fails(MEMLANE_TOO_LARGE, [&] { room.commit(5, memlane::Tag::utf8); }));
    }
    CHECK(!jobs.take(0s));
    {
        std::optional<memlane::Reservation> room = jobs.reserve(4);
        std::thread([&] { CHECK(fails(MEMLANE_NOT_OWNER, [&] { room->commit(); })); }).join();
        room.reset(); // It is given up here, and others can put again.
        CHECK(jobs.put("next", 1s) && jobs.take().bytes == "next");
    }
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
    CHECK((memlane::FrameSubscriber("cpp/camera").shape() == std::vector<std::size_t>{4, 6, 3}));
    CHECK(memlane::Event("cpp/stop").shape().empty());
    memlane::FrameSpec spec = memlane::FrameSpec::bytes(10);
    spec.history(3);
    CHECK(spec.options().history == 3);
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
        CHECK(fails(MEMLANE_NO_LOAN, [&] { moved.publish(); }));
        CHECK(fails(MEMLANE_NO_LOAN, [&] { loan.publish(); }));
    }
    {
        memlane::Loan held = camera.loan();
        std::memset(held.data(), 1, held.size());
        const std::uint8_t picture[72] = {};
        CHECK(fails(MEMLANE_ON_LOAN, [&] { (void)camera.loan(); }));
        CHECK(fails(MEMLANE_ON_LOAN, [&] { camera.publish(picture, sizeof picture); }));
        CHECK(static_cast<std::uint8_t *>(held.data())[0] == 1);
    }
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
    CHECK(fails(MEMLANE_TOO_LARGE, [&] { jpegs.publish(std::string(101, 'j').data(), 101); }));
    jpegs.publish("01234", 5); // The one that failed is not on loan.
    CHECK(reader.next().size() == 5);
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
    CHECK(memlane::wait_any(reader, stop) == ready);
    CHECK(reader.next().value.time == 0);
    const auto last = reader.last(5);
    CHECK(last.values.size() == 5 && last.first == 15 && last.values[4].time == 19 && reader.lost() == 0);
    sensor.append(std::vector<app::Sample>(3, sample));
    const auto rest = reader.next_many(100);
    CHECK(rest.values.size() == 22 && rest.first == 1 && !reader.next_many(1, 0s));
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
    types();
    timeouts();
    places();
    locks();
    messages();
    frames();
    streams();
    return 0;
}
