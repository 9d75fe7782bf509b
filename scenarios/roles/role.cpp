// A process of the scenarios, in C++: carries out commands, a line each, and answers with a line.

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memlane.hpp>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

namespace {

struct Pose {
    std::int8_t state;
    double time;
    memlane::BigEndian<std::uint16_t> count;
    std::array<memlane::BigEndian<float>, 3> position;
};
MEMLANE_DESCRIBE(Pose, state, time, count, position);

struct Sample {
    memlane::BigEndian<std::uint16_t> number;
    std::int8_t level;
};
MEMLANE_DESCRIBE(Sample, number, level);

// What the process has open: one of each kind is enough.
std::optional<memlane::Value<double>> value;
std::optional<memlane::Record<Pose>> record;
std::optional<memlane::Text> text;
std::optional<memlane::Lock> lock;
std::optional<memlane::LockGuard> guard;
std::optional<memlane::Queue> queue;
std::optional<memlane::Queue> work;
std::optional<memlane::Lease> lease;
std::optional<memlane::PipeEnd> pipe_end;
std::optional<memlane::StreamPublisher<Sample>> stream;
std::optional<memlane::StreamSubscriber<Sample>> reader;
std::optional<memlane::FramePublisher> publisher;
std::optional<memlane::FrameSubscriber> viewer;
std::optional<memlane::Event> event;

using Words = std::istringstream;

std::string rest(Words &words) {
    std::string line;
    std::getline(words >> std::ws, line);
    return line;
}

template <class T> T next(Words &words) {
    T word{};
    words >> word;
    return word;
}

std::chrono::milliseconds timeout(Words &words) { return std::chrono::milliseconds(next<long>(words)); }

template <class... Parts> std::string say(const Parts &...parts) {
    std::ostringstream line;
    (line << ... << parts);
    return line.str();
}

// `what(*thing)`, if it came in time.
template <class Thing, class What> std::string unless_late(std::optional<Thing> thing, What what) {
    return thing ? what(*thing) : "timeout";
}

std::string in_time(bool whether) { return whether ? "ok" : "timeout"; }

std::string bytes(const memlane::Message &message) { return message.bytes; }

std::string open_pipe(Words &words) {
    const auto id = next<std::string>(words);
    const auto side = next<std::string>(words) == "left" ? memlane::Side::left : memlane::Side::right;
    pipe_end.emplace(id.c_str(), side);
    return "ok";
}

memlane::Queue open_queue(Words &words, bool acknowledged) {
    memlane_queue_options options = memlane::Queue::defaults();
    options.capacity = 4096;
    options.acknowledged = acknowledged;
    return memlane::Queue(next<std::string>(words).c_str(), options);
}

std::string lease_work(Words &words) {
    return unless_late(work->lease(timeout(words)), [](memlane::Lease &leased) {
        lease.emplace(std::move(leased));
        return say(lease->bytes(), ", handed out ", lease->redelivered(), " times before");
    });
}

std::string open_stream(Words &words) {
    memlane_stream_options options = memlane::StreamPublisher<Sample>::defaults();
    options.capacity = 16;
    stream.emplace(next<std::string>(words).c_str(), options);
    return "ok";
}

std::string open_value(Words &words) {
    const auto id = next<std::string>(words);
    value.emplace(id.c_str(), next<double>(words));
    return say(value->load());
}

std::string wait_for_value(Words &words) {
    const auto seen = next<double>(words);
    const auto reading = value->read();
    if (reading.value < seen || reading.value > seen) {
        return say(reading.value);
    }
    return unless_late(value->wait_newer(reading, timeout(words)), [](auto newer) { return say(newer.value); });
}

std::string write_record(Words &words) {
    Pose pose{};
    pose.state = static_cast<std::int8_t>(next<int>(words));
    pose.time = next<double>(words);
    pose.count = next<std::uint16_t>(words);
    for (auto &coordinate : pose.position) {
        coordinate = next<float>(words);
    }
    record->write(pose);
    return "ok";
}

std::string read_record(Words &) {
    const Pose pose = record->read().value;
    const auto &[x, y, z] = pose.position;
    return say(int(pose.state), ' ', pose.time, ' ', pose.count, ' ', x, ' ', y, ' ', z);
}

std::string take_lock(Words &words) {
    return unless_late(lock->acquire(timeout(words)), [](memlane::LockGuard &taken) {
        guard.emplace(std::move(taken));
        return guard->owner_died() ? "owner died" : "ok";
    });
}

std::string append_record(Words &words) {
    Sample sample{};
    sample.number = next<std::uint16_t>(words);
    sample.level = static_cast<std::int8_t>(next<int>(words));
    stream->append(sample);
    return "ok";
}

std::string next_record(Words &words) {
    return unless_late(reader->next(timeout(words)), [](const auto &found) {
        return say(found.value.number, ' ', int(found.value.level), " of ", found.sequence);
    });
}

std::string publish_frame(Words &words) {
    memlane::Loan loan = publisher->loan();
    std::fill_n(loan.as<std::uint8_t>(), loan.size(), static_cast<std::uint8_t>(next<int>(words)));
    return say(loan.publish());
}

std::string next_frame(Words &words) {
    return unless_late(viewer->next(timeout(words)), [](const memlane::Frame &frame) {
        const auto *samples = frame.as<std::uint8_t>();
        const bool even = frame.size() == 4 * 6 * 3 &&
                          std::all_of(samples, samples + frame.size(), [&](auto sample) { return sample == *samples; });
        return say(frame.sequence(), " filled with ", even ? std::to_string(*samples) : "something else");
    });
}

const std::map<std::string, std::function<std::string(Words &)>> commands = {
    {"value-open", open_value},
    {"value-get", [](Words &) { return say(value->load()); }},
    {"value-set", [](Words &words) { return value->store(next<double>(words)), "ok"; }},
    {"value-add", [](Words &words) { return say(value->add(next<double>(words))); }},
    {"value-wait", wait_for_value},
    {"integer-open", [](Words &words) { return memlane::Value<std::int32_t>(next<std::string>(words).c_str()), "ok"; }},
    {"record-open", [](Words &words) { return record.emplace(next<std::string>(words).c_str()), "ok"; }},
    {"record-write", write_record},
    {"record-read", read_record},
    {"text-open", [](Words &words) { return text.emplace(next<std::string>(words).c_str(), 100u), "ok"; }},
    {"text-write", [](Words &words) { return text->write(rest(words)), "ok"; }},
    {"text-read", [](Words &) { return text->read().text; }},
    {"lock-open", [](Words &words) { return lock.emplace(next<std::string>(words).c_str()), "ok"; }},
    {"lock-take", take_lock},
    {"lock-consistent", [](Words &) { return guard->make_consistent(), "ok"; }},
    {"lock-release", [](Words &) { return guard.reset(), "ok"; }},
    {"queue-open", [](Words &words) { return queue.emplace(open_queue(words, false)), "ok"; }},
    {"queue-put", [](Words &words) { return queue->put(rest(words), memlane::Tag::utf8), "ok"; }},
    {"queue-get", [](Words &words) { return unless_late(queue->take(timeout(words)), bytes); }},
    {"queue-close", [](Words &) { return queue->shut_down(), "ok"; }},
    {"work-open", [](Words &words) { return work.emplace(open_queue(words, true)), "ok"; }},
    {"work-put", [](Words &words) { return work->put(rest(words), memlane::Tag::utf8), "ok"; }},
    {"work-lease", lease_work},
    {"work-done", [](Words &) { return lease->acknowledge(), "ok"; }},
    {"pipe-open", open_pipe},
    {"pipe-send", [](Words &words) { return pipe_end->send(rest(words), memlane::Tag::utf8), "ok"; }},
    {"pipe-recv", [](Words &words) { return unless_late(pipe_end->receive(timeout(words)), bytes); }},
    {"stream-open", open_stream},
    {"stream-watch", [](Words &words) { return reader.emplace(next<std::string>(words).c_str()), "ok"; }},
    {"stream-append", append_record},
    {"stream-next", next_record},
    {"frame-open",
     [](Words &words) { return publisher.emplace(next<std::string>(words).c_str(), memlane::image(4, 6)), "ok"; }},
    {"frame-watch", [](Words &words) { return viewer.emplace(next<std::string>(words).c_str()), "ok"; }},
    {"frame-publish", publish_frame},
    {"frame-next", next_frame},
    {"event-open", [](Words &words) { return event.emplace(next<std::string>(words).c_str()), "ok"; }},
    {"event-set", [](Words &) { return event->set(), "ok"; }},
    {"event-wait", [](Words &words) { return in_time(event->wait(timeout(words))); }},
};

std::string answer(const std::string &line) {
    Words words(line);
    try {
        return commands.at(next<std::string>(words))(words);
    } catch (const memlane::Error &error) {
        return error.code().message();
    }
}

} // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << answer(line) << std::endl;
    }
}
