// The writer of the 24-byte-header picture in /dev/shm, ported to memlane: the same pictures, and the same arguments as
// crates/memlane-interop/tests/peers/mmap_writer.cpp, which does it as its original does.
//
// Gone are shm_open, ftruncate and mmap, the packed header, the flag that a reader polls and the fence around it; the
// reader that tears a picture when the next one comes, sees a frozen one after a restart, and hangs when the writer dies
// in the middle. The picture is computed where it is read, so its copy is gone, too.
//
//     c++ -std=c++17 mmap_ported.cpp $(pkg-config --cflags --libs memlane) -o mmap_ported
//     ./mmap_ported camera/front 640 404 600 16667

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>
#include <thread>

static void render(unsigned char *pixels, std::size_t size, std::uint64_t frame) {
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t word = (frame << 16) | (i / 8 % 512);
        pixels[i] = static_cast<unsigned char>(word >> (i % 8 * 8));
    }
}

int main(int count, char **arguments) try {
    if (count != 6) {
        std::cerr << "usage: " << arguments[0] << " ID WIDTH HEIGHT FRAMES PERIOD_MICROSECONDS\n";
        return 2;
    }
    const auto number = [arguments](int index) { return std::strtoull(arguments[index], nullptr, 10); };
    const memlane::FramePublisher camera(arguments[1], memlane::image(number(3), number(2)));
    const auto period = std::chrono::microseconds(number(5));
    auto next = std::chrono::steady_clock::now();
    for (std::uint64_t frame = 0; frame < number(4); ++frame) {
        memlane::Loan loan = camera.loan();
        render(loan.as<unsigned char>(), loan.size(), frame);
        loan.publish();
        std::this_thread::sleep_until(next += period);
    }
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
