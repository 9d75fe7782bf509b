// Work for any number of workers; a job is handed out again when its worker dies with it.
//
//     c++ -std=c++17 worker.cpp $(pkg-config --cflags --libs memlane) -o worker && ./worker
//     memlane put jobs "by hand"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memlane.hpp>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static memlane::Queue open() {
    auto options = memlane::Queue::defaults();
    options.acknowledged = true;
    return memlane::Queue("jobs", options);
}

int main() try {
    const memlane::Queue jobs = open();
    for (int number = 1; number <= 3; ++number) {
        jobs.put("job " + std::to_string(number), memlane::Tag::utf8);
    }

    const pid_t child = fork();
    if (child == 0) {
        // A worker that dies with the first job in its hands.
        const auto job = open().lease();
        raise(SIGKILL);
    }
    waitpid(child, nullptr, 0);

    while (auto job = jobs.lease(std::chrono::seconds(1))) {
        std::cout << job->bytes() << (job->redelivered() > 0 ? ", once more: its worker died" : "") << '\n';
        job->acknowledge();
    }
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
