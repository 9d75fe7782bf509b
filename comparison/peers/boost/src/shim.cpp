// What Rust calls of Boost.Interprocess. An exception ends here: each call puts its text where `error` is, or nothing.

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/version.hpp>
#include <cstddef>
#include <cstring>
#include <exception>

namespace ipc = boost::interprocess;

namespace {

struct Error {
    char text[256];
};

template <class Call> auto attempt(Error* error, Call call) -> decltype(call()) {
    try {
        return call();
    } catch (const std::exception& thrown) {
        std::strncpy(error->text, thrown.what(), sizeof error->text - 1);
    } catch (...) {
        std::strncpy(error->text, "something that is no exception of the standard's", sizeof error->text - 1);
    }
    return decltype(call())();
}

// A mutex in a segment of its own.
struct Mutex {
    explicit Mutex(const char* name)
        : segment(ipc::open_or_create, name, 4096), mutex(segment.find_or_construct<ipc::interprocess_mutex>("mutex")()) {}

    ipc::managed_shared_memory segment;
    ipc::interprocess_mutex* mutex;
};

}  // namespace

extern "C" {

const char* boost_version() { return BOOST_LIB_VERSION; }

void boost_remove(const char* name) { ipc::shared_memory_object::remove(name); }

ipc::message_queue* boost_queue_open(const char* name, std::size_t capacity, std::size_t size, Error* error) {
    return attempt(error, [=] { return new ipc::message_queue(ipc::open_or_create, name, capacity, size); });
}

void boost_queue_close(ipc::message_queue* queue) { delete queue; }

void boost_queue_send(ipc::message_queue* queue, const char* message, std::size_t size, Error* error) {
    attempt(error, [=] { queue->send(message, size, 0); });
}

bool boost_queue_try_send(ipc::message_queue* queue, const char* message, std::size_t size, Error* error) {
    return attempt(error, [=] { return queue->try_send(message, size, 0); });
}

// How many bytes it has.
std::size_t boost_queue_receive(ipc::message_queue* queue, char* message, std::size_t size, Error* error) {
    return attempt(error, [=] {
        ipc::message_queue::size_type received = 0;
        unsigned priority = 0;
        queue->receive(message, size, received, priority);
        return std::size_t{received};
    });
}

// None if there is no message.
std::size_t boost_queue_try_receive(ipc::message_queue* queue, char* message, std::size_t size, Error* error) {
    return attempt(error, [=] {
        ipc::message_queue::size_type received = 0;
        unsigned priority = 0;
        return queue->try_receive(message, size, received, priority) ? std::size_t{received} : std::size_t{0};
    });
}

Mutex* boost_mutex_open(const char* name, Error* error) {
    return attempt(error, [=] { return new Mutex(name); });
}

void boost_mutex_close(Mutex* mutex) { delete mutex; }

void boost_mutex_lock(Mutex* mutex, Error* error) {
    attempt(error, [=] { mutex->mutex->lock(); });
}

void boost_mutex_unlock(Mutex* mutex, Error* error) {
    attempt(error, [=] { mutex->mutex->unlock(); });
}

// A segment with a name in it for so many bytes.
ipc::managed_shared_memory* boost_segment_make(const char* name, std::size_t size, Error* error) {
    return attempt(error, [=] {
        // What it keeps of itself and of the name fits beside them.
        auto* segment = new ipc::managed_shared_memory(ipc::create_only, name, size + 2048);
        segment->construct<char>("bytes")[size](0);
        return segment;
    });
}

ipc::managed_shared_memory* boost_segment_open(const char* name, Error* error) {
    return attempt(error, [=] {
        auto* segment = new ipc::managed_shared_memory(ipc::open_only, name);
        if (segment->find<char>("bytes").first == nullptr) {
            throw ipc::interprocess_exception("the segment has no bytes");
        }
        return segment;
    });
}

void boost_segment_close(ipc::managed_shared_memory* segment) { delete segment; }
}
