// A camera in C++. With OpenCV (compile with -DWITH_OPENCV) it publishes a camera or a video, decoded straight into
// shared memory; without, a test picture.
//
//     c++ -std=c++17 camera.cpp $(pkg-config --cflags --libs memlane) -o camera && ./camera
//     ./camera 600 /dev/video0

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#if defined(WITH_OPENCV)
#include <opencv2/videoio.hpp>

static void capture(const std::string &source, long pictures) {
    cv::VideoCapture device(source);
    const int height = static_cast<int>(device.get(cv::CAP_PROP_FRAME_HEIGHT));
    const int width = static_cast<int>(device.get(cv::CAP_PROP_FRAME_WIDTH));
    if (!device.isOpened() || height <= 0 || width <= 0) {
        throw std::runtime_error("OpenCV cannot read " + source + ": neither a camera nor a video");
    }
    const memlane::FramePublisher camera(
        "camera/front", memlane::image(static_cast<std::size_t>(height), static_cast<std::size_t>(width)).history(4));
    for (long picture = 0; picture < pictures; ++picture) {
        memlane::Loan loan = camera.loan();
        cv::Mat view(height, width, CV_8UC3, loan.data());
        // OpenCV would take other memory for a picture of another size.
        if (!device.read(view) || view.data != loan.data()) {
            return;
        }
        loan.publish();
    }
}
#endif

static void publish(long pictures) {
    const memlane::FramePublisher camera("camera/front", memlane::image(404, 640).history(4));
    for (long picture = 0; picture < pictures; ++picture) {
        memlane::Loan loan = camera.loan();
        std::fill_n(loan.as<unsigned char>(), loan.size(), static_cast<unsigned char>(picture));
        loan.publish();
        std::this_thread::sleep_for(std::chrono::microseconds(1'000'000 / 60));
    }
}

int main(int count, char **arguments) try {
    const long pictures = count > 1 ? std::strtol(arguments[1], nullptr, 10) : 600;
#if defined(WITH_OPENCV)
    if (count > 2) {
        capture(arguments[2], pictures);
        return EXIT_SUCCESS;
    }
#endif
    publish(pictures);
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
