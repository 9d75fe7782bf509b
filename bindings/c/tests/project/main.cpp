// A stranger's program: a picture, published and viewed.
#include <memlane.hpp>

#include <cstring>

int main() {
    memlane::FramePublisher camera("camera/front", memlane::image(404, 640, 3));
    memlane::FrameSubscriber viewer("camera/front");
    auto loan = camera.loan();
    std::memset(loan.data(), 128, loan.size());
    loan.publish();
    const auto frame = viewer.next();
    return frame.size() == 404 * 640 * 3 && frame.as<unsigned char>()[0] == 128 ? 0 : 1;
}
