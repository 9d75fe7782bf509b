// A program that shared its newest picture by shm_open, a header of 24 bytes and a flag that readers poll, moved to
// memlane. What it had to do itself is gone:
//
//   shm_unlink, shm_open, ftruncate, mmap, close        -> the constructor
//   width, height, channels in a header                 -> image(height, width, channels): readers are told
//   valid = 0; memcpy; fence; valid = 1                 -> loan() and publish(); nothing is copied, nothing tears
//   a timestamp of milliseconds                         -> taken by publish(), on two clocks, in nanoseconds
//   readers poll every millisecond, and open every time -> they sleep, and are woken
//   a writer that dies with valid = 0 hangs its readers -> they keep what they have, and the next writer goes on
#include <memlane.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int count, char **arguments) {
    const int frames = count > 1 ? std::atoi(arguments[1]) : 60;
    const std::vector<std::uint8_t> picture(404 * 640 * 3, 128); // whatever the program makes its pictures in
    memlane::FramePublisher sender("mmaptest_shm", memlane::image(404, 640, 3));
    for (int frame = 0; frame < frames; ++frame) {
        sender.publish(picture.data(), picture.size());
    }
    std::printf("sent %d frames\n", frames);
    return 0;
}
