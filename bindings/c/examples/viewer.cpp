// A viewer in C++: looks at each picture where it lies.
//
//     c++ -std=c++17 viewer.cpp $(pkg-config --cflags --libs memlane) -o viewer && ./viewer

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>
#include <numeric>

int main(int count, char **arguments) try {
    const long pictures = count > 1 ? std::strtol(arguments[1], nullptr, 10) : 600;
    memlane::Space().wait_for("camera/front");
    const memlane::FrameSubscriber viewer("camera/front");
    for (long picture = 0; picture < pictures; ++picture) {
        // It does not change as long as it lives, and nobody waits for that.
        const memlane::Frame frame = viewer.next();
        const auto *pixels = frame.as<unsigned char>();
        const auto sum = std::accumulate(pixels, pixels + frame.size(), std::uint64_t{0});
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(frame.age());
        std::cout << "picture " << frame.sequence() << ": grey " << sum / frame.size() << ", " << age.count()
                  << " us old, " << viewer.missed() << " missed\n";
    }
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
