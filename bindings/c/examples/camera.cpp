// A camera: pictures of 640 x 404 at 60 frames a second, drawn straight into shared memory. How many is the first
// argument; 120 unless said. With OpenCV (compile with -DWITH_OPENCV, link with opencv_core, opencv_imgproc and
// opencv_videoio) it is what a camera sees, or a video, whose name is the second argument.
#include <memlane.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

#if defined(WITH_OPENCV)
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#endif

constexpr int width = 640;
constexpr int height = 404;

int main(int count, char **arguments) {
    const int frames = count > 1 ? std::atoi(arguments[1]) : 120;
    memlane::FramePublisher camera("camera/front", memlane::image(height, width, 3));
#if defined(WITH_OPENCV)
    cv::VideoCapture capture;
    if (!(count > 2 ? capture.open(arguments[2]) : capture.open(0))) {
        std::fputs("OpenCV finds neither a camera nor that video\n", stderr);
        return 1;
    }
#endif
    auto due = std::chrono::steady_clock::now();
    int frame = 0;
    for (; frame < frames; ++frame) {
        memlane::Loan loan = camera.loan();
#if defined(WITH_OPENCV)
        cv::Mat view(height, width, CV_8UC3, loan.data()); // no copy: OpenCV writes where viewers read
        cv::Mat picture;
        if (!capture.read(picture)) {
            break;
        }
        cv::resize(picture, view, view.size());
#else
        auto *pixel = loan.as<std::uint8_t>();
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x, pixel += 3) {
                pixel[0] = static_cast<std::uint8_t>(x + frame);
                pixel[1] = static_cast<std::uint8_t>(y);
                pixel[2] = static_cast<std::uint8_t>(frame);
            }
        }
#endif
        loan.publish();
        due += std::chrono::microseconds(16667);
        std::this_thread::sleep_until(due);
    }
    std::printf("published %d frames\n", frame);
    return 0;
}
