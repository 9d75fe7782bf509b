// A role of a scenario, in C++: takes steps from its standard input, one a line.
#include "../check.h"

#include <memlane.hpp>

#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

using namespace std::chrono_literals;

using Words = std::vector<std::string>;

// What is used again, by its id.
template <class T, class... Arguments> static T &kept(const std::string &id, Arguments &&...arguments) {
    static std::map<std::string, T> kept;
    auto found = kept.find(id);
    if (found == kept.end()) {
        found = kept.emplace(id, T(id.c_str(), std::forward<Arguments>(arguments)...)).first;
    }
    return found->second;
}

// A 16-bit number in the other byte order, which a schema of C++ types does not have: the record is opened through C.
static void record_step(const Words &words) {
    const auto number = static_cast<unsigned char>(std::stoi(words[2]));
    const double x = number + 0.5;
    std::array<unsigned char, 24> wanted{number};
    std::memcpy(&wanted[8], &x, sizeof x);
    wanted[16] = 1;
    wanted[18] = 2;
    wanted[17] = wanted[19] = number;
    memlane_record *record = nullptr;
    OK(memlane_record_open(nullptr, words[1].c_str(), MEMLANE_OPEN_OR_CREATE, "{id:|u1,x@8:<f8,level:[2]>u2;24}", &record));
    if (words[0] == "record_write") {
        OK(memlane_record_write(record, wanted.data(), wanted.size(), nullptr));
        return;
    }
    std::array<unsigned char, 24> found{};
    std::uint64_t version = 0;
    OK(memlane_record_read(record, found.data(), found.size(), &version));
    while (std::memcmp(found.data(), wanted.data(), 20) != 0) {
        OK(memlane_record_wait_newer(record, &version, MEMLANE_FOREVER));
        OK(memlane_record_read(record, found.data(), found.size(), &version));
    }
}

static memlane::Queue queue(const std::string &id, bool acknowledged) {
    memlane_queue_options options = memlane::Queue::defaults();
    options.acknowledged = acknowledged;
    options.capacity = 4096;
    return memlane::Queue(id.c_str(), options);
}

static memlane::PipeEnd &end(const Words &words) {
    return kept<memlane::PipeEnd>(words[1], words[2] == "left" ? memlane::Side::left : memlane::Side::right);
}

static std::optional<memlane::LockGuard> guard;
static std::optional<memlane::Lease> lease;

static const std::map<std::string, std::function<void(const Words &)>> steps = {
    {"value_store", [](const Words &words) { memlane::Value<double>(words[1].c_str()).store(std::stod(words[2])); }},
    {"value_wait",
     [](const Words &words) {
         memlane::Value<double> value(words[1].c_str());
         auto seen = value.read();
         while (seen.value != std::stod(words[2])) {
             seen = value.wait_newer(seen);
         }
     }},
    {"record_write", record_step},
    {"record_wait", record_step},
    {"text_write", [](const Words &words) { memlane::Text(words[1].c_str()).write(words[2]); }},
    {"text_wait",
     [](const Words &words) {
         memlane::Text text(words[1].c_str());
         for (auto seen = text.read(); seen.text != words[2]; seen = text.read()) {
             text.wait_newer(seen.version);
         }
     }},
    {"timeout", [](const Words &words) { CHECK(!memlane::Event(words[1].c_str()).wait(10ms)); }},
    {"event_set", [](const Words &words) { memlane::Event(words[1].c_str()).set(); }},
    {"event_wait", [](const Words &words) { memlane::Event(words[1].c_str()).wait(); }},
    {"lock_acquire",
     [](const Words &words) {
         guard.emplace(kept<memlane::Lock>(words[1]).acquire());
         CHECK(guard->owner_died() == (words[2] == "died"));
         guard->make_consistent();
     }},
    {"lock_release", [](const Words &) { guard.reset(); }},
    {"queue_put", [](const Words &words) { queue(words[1], false).put(words[2], memlane::Tag::utf8); }},
    {"queue_take", [](const Words &words) { CHECK(queue(words[1], false).take().bytes == words[2]); }},
    {"work_put", [](const Words &words) { queue(words[1], true).put(words[2], memlane::Tag::utf8); }},
    {"work_lease",
     [](const Words &words) {
         lease.emplace(queue(words[1], true).lease());
         CHECK(lease->bytes() == words[2]);
     }},
    {"work_take",
     [](const Words &words) {
         memlane::Lease taken = queue(words[1], true).lease();
         CHECK(taken.bytes() == words[2] && taken.redelivered() == 1);
         taken.acknowledge();
     }},
    {"pipe_send", [](const Words &words) { end(words).send(words[3], memlane::Tag::utf8); }},
    {"pipe_receive", [](const Words &words) { CHECK(end(words).receive().bytes == words[3]); }},
    {"pipe_end",
     [](const Words &words) {
         try {
             (void)end(words).receive();
             CHECK(false);
         } catch (const memlane::Error &error) {
             CHECK(error.status() == MEMLANE_END_OF_PIPE);
         }
     }},
    {"stream_append",
     [](const Words &words) { kept<memlane::StreamPublisher<double>>(words[1]).append(std::stod(words[2])); }},
    {"stream_next",
     [](const Words &words) {
         memlane::Space().wait_for(words[1].c_str());
         CHECK(kept<memlane::StreamSubscriber<double>>(words[1], 1000U).next().value == std::stod(words[2]));
     }},
    {"frame_publish",
     [](const Words &words) {
         memlane::FramePublisher publisher(words[1].c_str(), memlane::image(4, 6, 3));
         auto loan = publisher.loan();
         std::memset(loan.data(), std::stoi(words[2]), loan.size());
         loan.publish();
     }},
    {"frame_next",
     [](const Words &words) {
         memlane::Space().wait_for(words[1].c_str());
         memlane_subscriber_options options = memlane::FrameSubscriber::defaults();
         options.history = 1;
         memlane::FrameSubscriber subscriber(words[1].c_str(), options);
         const auto frame = subscriber.next();
         CHECK(frame.size() == 72 && frame.sequence() == 1);
         for (std::size_t at = 0; at < frame.size(); ++at) {
             CHECK(frame.as<unsigned char>()[at] == std::stoi(words[2]));
         }
     }},
    {"die", [](const Words &) { (void)std::raise(SIGKILL); }},
};

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream stream(line);
        Words words;
        for (std::string word; stream >> word;) {
            words.push_back(word);
        }
        steps.at(words.at(0))(words);
    }
    return 0;
}
