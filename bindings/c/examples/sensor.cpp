// A sensor and what reads it: records of a structure of one's own, the newest few whenever they are wanted.
//
//     c++ -std=c++17 sensor.cpp $(pkg-config --cflags --libs memlane) -o sensor && ./sensor
//     memlane stream tail myo/emg

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>

struct Sample {
    double time; // seconds
    std::int16_t level[8];
};
MEMLANE_DESCRIBE(Sample, time, level);

int main() try {
    auto options = memlane::StreamPublisher<Sample>::defaults();
    options.capacity = 4096;
    const memlane::StreamPublisher<Sample> sensor("myo/emg", options);
    const memlane::StreamSubscriber<Sample> reader("myo/emg");
    std::cout << "a sample is " << memlane::schema<Sample>() << '\n';

    for (int number = 0; number < 200; ++number) {
        Sample sample{number / 200.0, {}};
        for (int channel = 0; channel < 8; ++channel) {
            sample.level[channel] = static_cast<std::int16_t>(number * (channel + 1));
        }
        sensor.append(sample);
    }

    const auto first = reader.next();
    std::cout << "record " << first.sequence << " at " << first.value.time << " s\n";
    double sum = 0;
    const auto window = reader.last(100);
    for (const Sample &sample : window.values) {
        sum += sample.level[7];
    }
    std::cout << "the last " << window.values.size() << " from record " << window.first << ": mean of channel 7 "
              << sum / static_cast<double>(window.values.size()) << ", " << reader.lost() << " lost\n";
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
