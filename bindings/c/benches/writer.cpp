// A C++ writer that copies pictures in at a steady rate: `writer HEIGHT WIDTH PICTURES PER_SECOND`. Each picture is filled
// with its number. Prints how long the copy took at best, in the middle and at worst, in microseconds.
#include <memlane.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int count, char **arguments) {
    if (count != 5) {
        std::fprintf(stderr, "usage: %s HEIGHT WIDTH PICTURES PER_SECOND\n", arguments[0]);
        return 2;
    }
    const auto number = [arguments](int index) { return std::strtoull(arguments[index], nullptr, 10); };
    const std::uint64_t pictures = number(3);
    memlane::FramePublisher camera("bench/pictures", memlane::image(number(1), number(2)).history(4));
    std::vector<std::uint8_t> picture(number(1) * number(2) * 3);
    memlane::Event("bench/ready").wait();
    std::vector<double> took;
    auto due = std::chrono::steady_clock::now();
    for (std::uint64_t sequence = 1; sequence <= pictures; ++sequence) {
        due += std::chrono::nanoseconds(1'000'000'000 / number(4));
        std::fill(picture.begin(), picture.end(), static_cast<std::uint8_t>(sequence));
        std::this_thread::sleep_until(due);
        const auto start = std::chrono::steady_clock::now();
        memlane::Loan loan = camera.loan();
        std::memcpy(loan.data(), picture.data(), picture.size());
        const std::chrono::duration<double, std::micro> copied = std::chrono::steady_clock::now() - start;
        loan.publish();
        took.push_back(copied.count());
    }
    std::sort(took.begin(), took.end());
    std::printf("copy: %.0f us at best, %.0f p50, %.0f p99, %.0f at worst\n", took.front(), took[took.size() / 2],
                took[took.size() * 99 / 100], took.back());
    return 0;
}
