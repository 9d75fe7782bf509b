// A sensor at 200 Hz, and an application that reads the last second of it without stalling it.
#include <memlane.hpp>

#include <cmath>
#include <cstdio>
#include <thread>

struct Emg {
    std::int8_t channels[8];
    double time;
};
MEMLANE_DESCRIBE(Emg, channels, time);

int main() {
    memlane::StreamPublisher<Emg> sensor("myo/emg");
    memlane::StreamSubscriber<Emg> application("myo/emg");
    std::thread armband([&] {
        auto due = std::chrono::steady_clock::now();
        for (int sample = 0; sample < 200; ++sample) {
            Emg emg{};
            for (int channel = 0; channel < 8; ++channel) {
                emg.channels[channel] = static_cast<std::int8_t>(100 * std::sin(0.1 * sample + channel));
            }
            emg.time = 0.005 * sample;
            sensor.append(emg);
            due += std::chrono::milliseconds(5);
            std::this_thread::sleep_until(due);
        }
    });
    while (application.next().sequence < 199) {
    }
    armband.join();
    const auto last = application.last(200);
    std::printf("%zu samples, %llu lost, the newest at %.3f s\n", last.values.size(),
                static_cast<unsigned long long>(application.lost()), last.values.back().time);
    return 0;
}
