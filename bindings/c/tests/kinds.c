/* Every kind from C, and waits that a signal ends. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number) {
    (void)number;
    stopped = 1;
}

static bool should_end(void) { return stopped != 0; }

static void values(void) {
    memlane_value *value = NULL;
    int32_t number = 40;
    int32_t expected = 7;
    int32_t sum = 0;
    uint64_t version = 0;
    OK(memlane_value_open(NULL, "c/value", MEMLANE_OPEN_OR_CREATE, MEMLANE_I32, &number, &value));
    number = 2;
    OK(memlane_value_add(value, &number, &sum, sizeof sum));
    CHECK(sum == 42);
    EXPECT(MEMLANE_CONFLICT, memlane_value_compare_exchange(value, &expected, &number, sizeof number));
    CHECK(expected == 42);
    OK(memlane_value_compare_exchange(value, &expected, &number, sizeof number));
    OK(memlane_value_read(value, &number, sizeof number, &version));
    CHECK(number == 2);
    EXPECT(MEMLANE_TIMEOUT, memlane_value_wait_newer(value, &number, sizeof number, &version, 0));
    sum = -5;
    OK(memlane_value_store(value, &sum, sizeof sum));
    OK(memlane_value_wait_newer(value, &number, sizeof number, &version, MEMLANE_FOREVER));
    CHECK(number == -5);
    OK(memlane_close(value));
}

static void cells(void) {
    memlane_record *record = NULL;
    memlane_text *text = NULL;
    memlane_array *array = NULL;
    memlane_raw *raw = NULL;
    struct {
        double x;
        uint32_t count;
    } written = {1.5, 3}, read = {0, 0};
    uint64_t version = 0;
    uint64_t stale = 0;
    size_t count = 0;
    size_t size = 0;
    float joints[6] = {0};
    const float two[2] = {1, 2};
    char words[64];
    void *data = NULL;
    OK(memlane_record_open(NULL, "c/record", MEMLANE_OPEN_OR_CREATE, "{x@0:<f8,count@8:<u4;16}", &record));
    OK(memlane_record_size(record, &size));
    CHECK(size == sizeof written);
    OK(memlane_record_write(record, &written, sizeof written, NULL));
    OK(memlane_record_read(record, &read, sizeof read, &version));
    CHECK(read.x > 1.4 && read.count == 3);
    stale = version - 1;
    EXPECT(MEMLANE_CONFLICT, memlane_record_write_if(record, &written, sizeof written, &stale));
    CHECK(stale == version);
    OK(memlane_record_write_if(record, &written, sizeof written, &stale));
    OK(memlane_record_wait_newer(record, &version, MEMLANE_FOREVER));

    OK(memlane_text_open(NULL, "c/text", MEMLANE_OPEN_OR_CREATE, 60, &text));
    OK(memlane_text_write(text, "gr\xc3\xbc\xc3\x9f dich", 11, &version));
    OK(memlane_text_read(text, words, sizeof words, &size, &stale));
    CHECK(size == 11 && strcmp(words, "gr\xc3\xbc\xc3\x9f dich") == 0 && stale == version);

    OK(memlane_array_open(NULL, "c/array", MEMLANE_OPEN_OR_CREATE, "[6]<f4", &array));
    OK(memlane_array_shape(array, &count, &size));
    CHECK(count == 6 && size == sizeof(float));
    OK(memlane_array_write(array, 4, two, sizeof two));
    EXPECT(MEMLANE_OUT_OF_RANGE, memlane_array_write(array, 5, two, sizeof two));
    EXPECT(MEMLANE_TOO_LARGE, memlane_array_write(array, 0, two, 3));
    OK(memlane_array_read(array, 0, joints, sizeof joints));
    CHECK(joints[4] > 0 && joints[5] > 1 && joints[3] < 1);
    OK(memlane_array_data(array, &data));
    CHECK(((float *)data)[5] > 1);

    OK(memlane_raw_open(NULL, "c/raw", MEMLANE_OPEN_OR_CREATE, 100, &raw));
    OK(memlane_raw_write(raw, 90, "0123456789", 10));
    EXPECT(MEMLANE_OUT_OF_RANGE, memlane_raw_write(raw, 91, "0123456789", 10));
    OK(memlane_raw_data(raw, &data, &size));
    CHECK(size == 100 && memcmp((char *)data + 90, "0123456789", 10) == 0);
    OK(memlane_schema(raw, words, sizeof words, NULL));
    CHECK(strcmp(words, "[100]|u1") == 0);
    OK(memlane_id(raw, words, sizeof words, NULL));
    CHECK(strcmp(words, "c/raw") == 0);
    OK(memlane_close(raw));
    OK(memlane_close(array));
    OK(memlane_close(text));
    OK(memlane_close(record));
}

static void meetings(void) {
    memlane_rlock *rlock = NULL;
    memlane_rwlock *rwlock = NULL;
    memlane_semaphore *semaphore = NULL;
    memlane_signal_semaphore *signals = NULL;
    memlane_event *event = NULL;
    memlane_barrier *barrier = NULL;
    memlane_condition *condition = NULL;
    uint32_t number = 0;
    bool flag = false;
    size_t notified = 1;
    OK(memlane_rlock_open(NULL, "c/rlock", MEMLANE_OPEN_OR_CREATE, &rlock));
    OK(memlane_rlock_acquire(rlock, 0));
    OK(memlane_rlock_acquire(rlock, 0));
    OK(memlane_condition_open(NULL, "c/condition", MEMLANE_OPEN_OR_CREATE, 4, &condition));
    EXPECT(MEMLANE_TIMEOUT, memlane_condition_wait(condition, rlock, 1000000));
    OK(memlane_condition_notify(condition, SIZE_MAX, &notified));
    CHECK(notified == 0);
    OK(memlane_rlock_release(rlock));
    OK(memlane_rlock_release(rlock));
    EXPECT(MEMLANE_NOT_OWNER, memlane_rlock_release(rlock));

    OK(memlane_rwlock_open(NULL, "c/rwlock", MEMLANE_OPEN_OR_CREATE, &rwlock));
    OK(memlane_rwlock_acquire_read(rwlock, 0));
    EXPECT(MEMLANE_TIMEOUT, memlane_rwlock_acquire_write(rwlock, 0));
    OK(memlane_rwlock_release_read(rwlock));
    OK(memlane_rwlock_acquire_write(rwlock, 0));
    OK(memlane_rwlock_release_write(rwlock));

    OK(memlane_semaphore_open(NULL, "c/semaphore", MEMLANE_OPEN_OR_CREATE, 2, &semaphore));
    OK(memlane_semaphore_acquire(semaphore, 2, 0));
    EXPECT(MEMLANE_TIMEOUT, memlane_semaphore_acquire(semaphore, 1, 0));
    OK(memlane_semaphore_release(semaphore, 2));
    EXPECT(MEMLANE_NOT_OWNER, memlane_semaphore_release(semaphore, 1));
    OK(memlane_semaphore_free(semaphore, &number, NULL));
    CHECK(number == 2);

    OK(memlane_signal_semaphore_open(NULL, "c/signals", MEMLANE_OPEN_OR_CREATE, 0, 1, &signals));
    OK(memlane_signal_semaphore_release(signals, 1));
    EXPECT(MEMLANE_OVERFLOW, memlane_signal_semaphore_release(signals, 1));
    OK(memlane_signal_semaphore_acquire(signals, 0));

    OK(memlane_event_open(NULL, "c/event", MEMLANE_OPEN_OR_CREATE, true, &event));
    OK(memlane_event_set(event));
    OK(memlane_event_wait(event, MEMLANE_FOREVER));
    OK(memlane_event_is_set(event, &flag));
    CHECK(!flag);
    /* A deadline that has passed is no wait without an end. */
    EXPECT(MEMLANE_TIMEOUT, memlane_event_wait(event, -1));
    EXPECT(MEMLANE_TIMEOUT, memlane_event_wait(event, INT64_MIN + 1));

    OK(memlane_barrier_open(NULL, "c/barrier", MEMLANE_OPEN_OR_CREATE, 1, &barrier));
    OK(memlane_barrier_wait(barrier, MEMLANE_FOREVER, &number));
    CHECK(number == 0);
    OK(memlane_barrier_abort(barrier));
    EXPECT(MEMLANE_BROKEN_BARRIER, memlane_barrier_wait(barrier, MEMLANE_FOREVER, NULL));
    OK(memlane_close(barrier));
    OK(memlane_close(event));
    OK(memlane_close(signals));
    OK(memlane_close(semaphore));
    OK(memlane_close(rwlock));
    OK(memlane_close(condition));
    OK(memlane_close(rlock));
}

static void messages(void) {
    memlane_queue_options options = MEMLANE_QUEUE_DEFAULTS;
    memlane_queue *queue = NULL;
    memlane_lease *lease = NULL;
    memlane_reservation *reservation = NULL;
    memlane_wait_item items[2] = {{NULL, 0, false}, {NULL, 0, false}};
    memlane_event *event = NULL;
    const void *data = NULL;
    void *room = NULL;
    size_t size = 0;
    memlane_tag tag = MEMLANE_BYTES;
    uint32_t redelivered = 9;
    options.acknowledged = true;
    options.capacity = 4096;
    OK(memlane_queue_open(NULL, "c/jobs", MEMLANE_OPEN_OR_CREATE, &options, &queue));
    OK(memlane_event_open(NULL, "c/stop", MEMLANE_OPEN_OR_CREATE, false, &event));
    items[0].handle = event;
    items[1].handle = queue;
    EXPECT(MEMLANE_TIMEOUT, memlane_wait_any(items, 2, 1000000));
    OK(memlane_queue_reserve(queue, 100, 0, &reservation, &room));
    memcpy(room, "frame 7", 7);
    OK(memlane_reservation_commit(reservation, MEMLANE_JSON, 7));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_reservation_commit(reservation, MEMLANE_JSON, 7));
    OK(memlane_wait_any(items, 2, MEMLANE_FOREVER));
    CHECK(!items[0].ready && items[1].ready);
    OK(memlane_queue_lease(queue, 0, &lease));
    OK(memlane_close(lease));
    OK(memlane_queue_lease(queue, 0, &lease));
    OK(memlane_lease_message(lease, &data, &size, &tag, &redelivered));
    CHECK(size == 7 && memcmp(data, "frame 7", 7) == 0 && tag == MEMLANE_JSON && redelivered == 1);
    OK(memlane_lease_acknowledge(lease));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_lease_acknowledge(lease));
    OK(memlane_queue_shut_down(queue));
    EXPECT(MEMLANE_CLOSED, memlane_queue_lease(queue, MEMLANE_FOREVER, &lease));
    EXPECT(MEMLANE_CLOSED, memlane_queue_put(queue, MEMLANE_BYTES, "x", 1, MEMLANE_FOREVER));
    OK(memlane_close(event));
    OK(memlane_close(queue));
}

static void streams(void) {
    memlane_stream_options options = MEMLANE_STREAM_DEFAULTS;
    memlane_stream_publisher *publisher = NULL;
    memlane_stream_subscriber *subscriber = NULL;
    double samples[300];
    double found[300];
    uint64_t sequence = 9;
    uint64_t lost = 9;
    size_t count = 0;
    for (int at = 0; at < 300; ++at) {
        samples[at] = at;
    }
    options.schema = "<f8";
    options.capacity = 512;
    OK(memlane_stream_publisher_open(NULL, "c/stream", MEMLANE_OPEN_OR_CREATE, &options, &publisher));
    OK(memlane_stream_subscriber_open(NULL, "c/stream", 0, 0, &subscriber));
    EXPECT(MEMLANE_EMPTY, memlane_stream_subscriber_last(subscriber, found, sizeof found, &count, NULL));
    OK(memlane_stream_publisher_append(publisher, samples, sizeof samples, &sequence));
    CHECK(sequence == 0);
    EXPECT(MEMLANE_TOO_LARGE, memlane_stream_publisher_append(publisher, samples, 7, NULL));
    OK(memlane_stream_subscriber_next(subscriber, found, sizeof(double), &sequence, MEMLANE_FOREVER));
    CHECK(sequence == 0);
    OK(memlane_stream_subscriber_next_many(subscriber, found, sizeof found, &count, &sequence, 0));
    CHECK(count == 299 && sequence == 1 && found[298] > 298.5);
    OK(memlane_stream_subscriber_last(subscriber, found, 10 * sizeof(double), &count, &sequence));
    CHECK(count == 10 && sequence == 290);
    for (int round = 0; round < 3; ++round) {
        OK(memlane_stream_publisher_append(publisher, samples, sizeof samples, NULL));
    }
    OK(memlane_stream_subscriber_next(subscriber, found, sizeof(double), &sequence, 0));
    OK(memlane_stream_subscriber_state(subscriber, &lost, NULL, NULL));
    CHECK(lost == sequence - 300 && lost > 0);
    OK(memlane_close(subscriber));
    OK(memlane_close(publisher));
}

static void *interrupt(void *waiter) {
    memlane_semaphore *semaphore = NULL;
    bool waits = false;
    OK(memlane_semaphore_open(NULL, "c/turn", MEMLANE_OPEN_OR_CREATE, 1, &semaphore));
    while (!waits) {
        uint32_t free = 0;
        OK(memlane_semaphore_free(semaphore, &free, NULL));
        waits = free == 0;
    }
    CHECK(pthread_kill(*(pthread_t *)waiter, SIGUSR1) == 0);
    OK(memlane_close(semaphore));
    return NULL;
}

static void interruptions(void) {
    struct sigaction action;
    memlane_semaphore *semaphore = NULL;
    memlane_condition *condition = NULL;
    memlane_lock *lock = NULL;
    pthread_t self = pthread_self();
    pthread_t other;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    memlane_interrupt_when(should_end);
    OK(memlane_semaphore_open(NULL, "c/turn", MEMLANE_OPEN_OR_CREATE, 1, &semaphore));
    CHECK(pthread_create(&other, NULL, interrupt, &self) == 0);
    OK(memlane_semaphore_acquire(semaphore, 1, 0));
    EXPECT(MEMLANE_INTERRUPTED, memlane_semaphore_acquire(semaphore, 1, MEMLANE_FOREVER));
    CHECK(pthread_join(other, NULL) == 0);
    /* The condition's wait ends, and takes its lock again. */
    OK(memlane_lock_open(NULL, "c/lock", MEMLANE_OPEN_OR_CREATE, &lock));
    OK(memlane_condition_open(NULL, "c/condition", MEMLANE_OPEN_OR_CREATE, 4, &condition));
    OK(memlane_lock_acquire(lock, 0));
    EXPECT(MEMLANE_INTERRUPTED, memlane_condition_wait(condition, lock, MEMLANE_FOREVER));
    OK(memlane_lock_release(lock));
    memlane_interrupt_when(NULL);
    OK(memlane_close(condition));
    OK(memlane_close(lock));
    OK(memlane_close(semaphore));
}

static void count_ids(const char *id, void *count) {
    CHECK(id[0] != 0);
    ++*(int *)count;
}

static void count_living(const memlane_participant *participant, void *count) {
    *(int *)count += participant->alive;
}

static void spaces(void) {
    memlane_space_options options = MEMLANE_SPACE_DEFAULTS;
    memlane_space *space = NULL;
    memlane_event *event = NULL;
    memlane_event *second = NULL;
    bool is_there = true;
    int count = 0;
    char directory[4096];
    OK(memlane_space_directory(NULL, directory, sizeof directory, NULL));
    options.note = "made by a test";
    OK(memlane_space_open(directory, &options, &space));
    EXPECT(MEMLANE_TIMEOUT, memlane_space_wait_for(space, "space/event", 1000000));
    OK(memlane_event_open(space, "space/event", MEMLANE_CREATE, false, &event));
    EXPECT(MEMLANE_ALREADY_EXISTS, memlane_event_open(space, "space/event", MEMLANE_CREATE, false, &second));
    OK(memlane_space_wait_for(space, "space/event", MEMLANE_FOREVER));
    OK(memlane_space_list(space, count_ids, &count));
    CHECK(count > 5);
    count = 0;
    OK(memlane_participants(event, count_living, &count));
    CHECK(count == 1);
    OK(memlane_space_remove(space, "space/event"));
    OK(memlane_unlinked(event, &is_there));
    CHECK(is_there);
    OK(memlane_space_contains(space, "space/event", &is_there));
    CHECK(!is_there);
    OK(memlane_close(event));
    OK(memlane_close(space));
}

int main(void) {
    values();
    cells();
    meetings();
    messages();
    streams();
    spaces();
    interruptions();
    return 0;
}
