// The mode without exceptions: everything that can fail returns a Result.
#include "check.h"

#include <memlane.hpp>

#if !defined(MEMLANE_NO_EXCEPTIONS)
#error "compile this with -fno-exceptions"
#endif

using namespace std::chrono_literals;

int main() {
    auto camera = memlane::FramePublisher::open("plain/camera", memlane::image(4, 6, 3));
    CHECK(camera);
    auto second = memlane::FramePublisher::open("plain/camera", memlane::image(4, 6, 3));
    CHECK(!second && second.error().status() == MEMLANE_PUBLISHER_EXISTS);
    auto viewer = memlane::FrameSubscriber::open("plain/camera");
    CHECK(viewer);
    auto loan = camera->loan();
    CHECK(loan);
    auto number = loan->publish();
    CHECK(number && *number == 1);
    auto twice = loan->publish();
    CHECK(!twice && twice.error().status() == MEMLANE_NO_LOAN);
    CHECK(std::strstr(twice.error().what(), "on loan"));
    auto frame = viewer->next(1s);
    CHECK(frame && *frame && (*frame)->sequence() == 1);
    auto none = viewer->next(1ms);
    CHECK(none && !*none);

    auto lock = memlane::Lock::open("plain/lock");
    CHECK(lock);
    {
        auto guard = lock->acquire();
        CHECK(guard && !guard->owner_died());
        auto again = lock->acquire();
        CHECK(!again && again.error().code() == std::errc::resource_deadlock_would_occur);
    }
    auto speed = memlane::Value<double>::open("plain/speed", 1.5);
    CHECK(speed && speed->store(2.5) && *speed->load() == 2.5);
    const auto kept = speed->load();
    CHECK(kept && *kept == 2.5);
    auto wrong = memlane::Value<float>::open("plain/speed");
    CHECK(!wrong && wrong.error().status() == MEMLANE_SCHEMA_MISMATCH);
    return 0;
}
