// The C++ writer of the 24-byte-header picture, as its original does it, but for the camera: it computes its
// pictures.
//
// usage: mmap_writer NAME WIDTH HEIGHT FRAMES PERIOD_MICROSECONDS (0: flat out)
//
// The pixels, read as little-endian 64-bit words, are (frame << 16) | (index of the word % 512), so that
// pixels of two frames in one picture, or pixels in a wrong place, are recognised.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#pragma pack(push, 1)
struct FrameHeader {
    int32_t width;
    int32_t height;
    int32_t channels;
    int64_t timestamp;
    volatile int32_t frame_valid;
};
#pragma pack(pop)
static_assert(sizeof(FrameHeader) == 24, "the header is packed");

static const int CHANNELS = 3;

static void render(std::vector<unsigned char>& pixels, uint64_t frame) {
    for (size_t i = 0; i < pixels.size(); ++i) {
        const uint64_t word = (frame << 16) | (i / 8 % 512);
        pixels[i] = static_cast<unsigned char>(word >> (i % 8 * 8));
    }
}

static int64_t milliseconds_since_epoch() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

static int fail(const char* what) {
    std::perror(what);
    return 1;
}

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: %s NAME WIDTH HEIGHT FRAMES PERIOD_MICROSECONDS\n", argv[0]);
        return 2;
    }
    const std::string name = std::string("/") + argv[1];
    const int32_t width = std::atoi(argv[2]);
    const int32_t height = std::atoi(argv[3]);
    const uint64_t frames = std::strtoull(argv[4], nullptr, 10);
    const std::chrono::microseconds period(std::atoll(argv[5]));

    std::vector<unsigned char> pixels(static_cast<size_t>(width) * height * CHANNELS);
    const size_t total = sizeof(FrameHeader) + pixels.size();

    shm_unlink(name.c_str());
    const int file = shm_open(name.c_str(), O_CREAT | O_RDWR, 0666);
    if (file < 0) return fail("shm_open");
    if (ftruncate(file, static_cast<off_t>(total)) != 0) return fail("ftruncate");
    void* memory = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) return fail("mmap");

    auto* header = static_cast<FrameHeader*>(memory);
    auto* shared_pixels = static_cast<unsigned char*>(memory) + sizeof(FrameHeader);
    auto next = std::chrono::steady_clock::now();
    for (uint64_t frame = 0; frame < frames; ++frame) {
        render(pixels, frame);
        header->frame_valid = 0;
        header->width = width;
        header->height = height;
        header->channels = CHANNELS;
        header->timestamp = milliseconds_since_epoch();
        std::memcpy(shared_pixels, pixels.data(), pixels.size());
        std::atomic_thread_fence(std::memory_order_seq_cst);
        header->frame_valid = 1;
        if (period.count() > 0) {
            next += period;
            std::this_thread::sleep_until(next);
        }
    }
    munmap(memory, total);
    close(file);
    return 0;
}
