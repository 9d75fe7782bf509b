// What a publish and a borrow cost in C++: nanoseconds a frame, the best of several rounds, for an empty frame and for one
// of 640 x 404 x 3 that is copied in. Prints one line for each, as the Rust program beside it does.
#include <memlane.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

template <class Body> static double best(int count, Body body) {
    double best = 1e18;
    for (int round = 0; round < 20; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int at = 0; at < count; ++at) {
            body();
        }
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
        best = std::min(best, took.count() / count);
    }
    return best;
}

int main() {
    memlane::FramePublisher small("bench/small", memlane::image(1, 8, 1));
    memlane::FrameSubscriber reader("bench/small");
    std::printf("publish %.1f\n", best(100000, [&] { small.loan().publish(); }));
    std::printf("borrow %.1f\n", best(100000, [&] { (void)reader.latest(); }));
    memlane::FramePublisher large("bench/large", memlane::image(404, 640, 3));
    const std::vector<std::uint8_t> picture(404 * 640 * 3, 128);
    std::printf("picture %.1f\n", best(300, [&] { large.publish(picture.data(), picture.size()); }));
    return 0;
}
