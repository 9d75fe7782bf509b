// The headline: a C++ writer that copies pictures of 640 x 404 x 3 in at 60 frames a second. Prints how long the copy took
// at best, in the middle and at worst, in microseconds.
#include <memlane.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int count, char **arguments) {
    const int frames = count > 1 ? std::atoi(arguments[1]) : 600;
    memlane::FramePublisher camera("bench/headline", memlane::image(404, 640, 3).history(4));
    memlane::Event("bench/ready").wait();
    const std::vector<std::uint8_t> picture(404 * 640 * 3, 128);
    std::vector<double> took;
    auto due = std::chrono::steady_clock::now();
    for (int frame = 0; frame < frames; ++frame) {
        due += std::chrono::microseconds(16667);
        std::this_thread::sleep_until(due);
        const auto start = std::chrono::steady_clock::now();
        memlane::Loan loan = camera.loan();
        std::memcpy(loan.data(), picture.data(), picture.size());
        const std::chrono::duration<double, std::micro> copied = std::chrono::steady_clock::now() - start;
        loan.publish();
        took.push_back(copied.count());
    }
    std::sort(took.begin(), took.end());
    std::printf("copy %.0f us at best, %.0f p50, %.0f p99\n", took.front(), took[took.size() / 2],
                took[took.size() * 99 / 100]);
    return 0;
}
