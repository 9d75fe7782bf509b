/* Wrong use gives a status, and never a crash. */
#include "check.h"

#include <pthread.h>
#include <string.h>

static void nulls(void) {
    memlane_wait_item many[128];
    memlane_event *event = NULL;
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_event_set(NULL));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_event_open(NULL, NULL, MEMLANE_OPEN_OR_CREATE, false, &event));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_event_open(NULL, "misuse/event", MEMLANE_OPEN_OR_CREATE, false, NULL));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_version(NULL, NULL));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_space_list(NULL, NULL, NULL));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_frame_release(NULL));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_frame_publisher_open(NULL, "misuse/f", MEMLANE_CREATE, NULL, (void *)&event));
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_wait_any(NULL, 1, 0));
    OK(memlane_close(NULL));
    CHECK(strstr(memlane_last_error(), "items") != NULL);
    memset(many, 0, sizeof many);
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_wait_any(many, 128, 0));
    CHECK(strstr(memlane_last_error(), "127") != NULL);
    EXPECT(MEMLANE_TIMEOUT, memlane_wait_any(NULL, 0, 0));
    CHECK(strstr(memlane_last_error(), "none of the 0 things") != NULL);
}

/* What could not be had is nothing: to close it, or to give it back, touches no memory. */
static void nothing_had(void) {
    const memlane_frame garbage = {(const void *)16, 16, 16, 16, 16, (const memlane_frame_subscriber *)16, 16};
    memlane_frame frame = garbage;
    memlane_loan loan = {(void *)16, 16, 16};
    memlane_event *event = (memlane_event *)16;
    memlane_lease *lease = (memlane_lease *)16;
    memlane_reservation *reservation = (memlane_reservation *)16;
    memlane_frame_subscriber *subscriber = NULL;
    memlane_frame_publisher *publisher = NULL;
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    memlane_queue *queue = NULL;
    const void *message = &garbage;
    void *room = &loan;
    size_t size = 0;
    options.capacity = 10;
    OK(memlane_frame_publisher_open(NULL, "misuse/none", MEMLANE_OPEN_OR_CREATE, &options, &publisher));
    OK(memlane_frame_subscriber_open(NULL, "misuse/none", NULL, &subscriber));
    EXPECT(MEMLANE_EMPTY, memlane_frame_subscriber_latest(subscriber, &frame));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_frame_release(&frame));
    frame = garbage;
    EXPECT(MEMLANE_TIMEOUT, memlane_frame_subscriber_next(subscriber, 0, &frame));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_frame_release(&frame));
    frame = garbage;
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_frame_subscriber_latest(NULL, &frame));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_frame_release(&frame));
    OK(memlane_close(subscriber));
    frame = garbage;
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_frame_subscriber_next(subscriber, 0, &frame));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_frame_release(&frame));

    OK(memlane_close(publisher));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_frame_publisher_loan(publisher, &loan));
    CHECK(loan.data == NULL && loan.size == 0);
    EXPECT(MEMLANE_NOT_FOUND, memlane_event_open(NULL, "misuse/nowhere", MEMLANE_OPEN, false, &event));
    OK(memlane_close(event));
    OK(memlane_queue_open(NULL, "misuse/empty", MEMLANE_OPEN_OR_CREATE, NULL, &queue));
    EXPECT(MEMLANE_BAD_PARAMETER, memlane_queue_lease(queue, 0, &lease));
    OK(memlane_close(lease));
    EXPECT(MEMLANE_TOO_LARGE, memlane_queue_reserve(queue, (size_t)1 << 40, 0, &reservation, &room));
    OK(memlane_close(reservation));
    CHECK(room == NULL);
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_lease_message(NULL, &message, &size, NULL, NULL));
    CHECK(message == NULL);
    OK(memlane_close(queue));
}

static void handles(void) {
    memlane_event *event = NULL;
    memlane_queue *queue = NULL;
    const unsigned long long other[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t version = 0;
    OK(memlane_event_open(NULL, "misuse/event", MEMLANE_OPEN_OR_CREATE, false, &event));
    EXPECT(MEMLANE_WRONG_HANDLE, memlane_queue_shut_down((memlane_queue *)event));
    EXPECT(MEMLANE_WRONG_HANDLE, memlane_version(other, &version));
    EXPECT(MEMLANE_WRONG_HANDLE, memlane_version((const char *)event + 1, &version));
    EXPECT(MEMLANE_WRONG_HANDLE, memlane_close((void *)other));
    OK(memlane_close(event));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_close(event));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_event_set(event));
    EXPECT(MEMLANE_WRONG_KIND, memlane_queue_open(NULL, "misuse/event", MEMLANE_OPEN, NULL, &queue));
    CHECK(queue == NULL);
    EXPECT(MEMLANE_NOT_FOUND, memlane_queue_open(NULL, "misuse/nothing", MEMLANE_OPEN, NULL, &queue));
    EXPECT(MEMLANE_BAD_ID, memlane_queue_open(NULL, "../out", MEMLANE_OPEN, NULL, &queue));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_queue_open(NULL, "misuse/queue", (memlane_opening)77, NULL, &queue));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_queue_open(NULL, "misuse/\xff", MEMLANE_OPEN, NULL, &queue));
    CHECK(strcmp(memlane_status_name((memlane_status)12345), "unknown") == 0);
}

/* A closed handle is recognised although many others were made and closed since. */
static void long_closed(void) {
    memlane_event *first = NULL;
    OK(memlane_event_open(NULL, "misuse/event", MEMLANE_OPEN_OR_CREATE, false, &first));
    OK(memlane_close(first));
    for (int round = 0; round < 500; ++round) {
        memlane_event *event = NULL;
        OK(memlane_event_open(NULL, "misuse/event", MEMLANE_OPEN_OR_CREATE, false, &event));
        OK(memlane_close(event));
    }
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_event_set(first));
}

static void frames(void) {
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    memlane_frame_publisher *publisher = NULL;
    memlane_frame_publisher *second = NULL;
    memlane_frame_subscriber *subscriber = NULL;
    memlane_loan loan;
    memlane_loan again;
    memlane_frame one;
    memlane_frame two;
    memlane_frame three;
    uint64_t sequence = 0;
    EXPECT(MEMLANE_BAD_ARGUMENT,
           memlane_frame_publisher_open(NULL, "misuse/frames", MEMLANE_CREATE, &options, &publisher));
    options.schema = "[4,6,3]nonsense";
    EXPECT(MEMLANE_BAD_ARGUMENT,
           memlane_frame_publisher_open(NULL, "misuse/frames", MEMLANE_CREATE, &options, &publisher));
    options.schema = "[4,6,3]|u1";
    OK(memlane_frame_publisher_open(NULL, "misuse/frames", MEMLANE_OPEN_OR_CREATE, &options, &publisher));
    EXPECT(MEMLANE_PUBLISHER_EXISTS,
           memlane_frame_publisher_open(NULL, "misuse/frames", MEMLANE_OPEN, NULL, &second));
    OK(memlane_frame_subscriber_open(NULL, "misuse/frames", NULL, &subscriber));
    EXPECT(MEMLANE_EMPTY, memlane_frame_subscriber_latest(subscriber, &one));
    EXPECT(MEMLANE_TIMEOUT, memlane_frame_subscriber_next(subscriber, 1000000, &one));

    EXPECT(MEMLANE_NO_LOAN, memlane_frame_publisher_publish(publisher, NULL));
    OK(memlane_frame_publisher_loan(publisher, &loan));
    CHECK(loan.size == 72);
    memset(loan.data, 7, loan.size);
    /* One at a time: the first one keeps what is in it. */
    EXPECT(MEMLANE_ON_LOAN, memlane_frame_publisher_loan(publisher, &again));
    CHECK(again.data == NULL && strstr(memlane_last_error(), "misuse/frames") != NULL);
    EXPECT(MEMLANE_BAD_PARAMETER, memlane_frame_publisher_publish_captured(publisher, 0, 5, NULL));
    EXPECT(MEMLANE_TOO_LARGE, memlane_frame_publisher_publish_captured(publisher, 0, 73, NULL));
    OK(memlane_frame_publisher_publish(publisher, &sequence));
    CHECK(sequence == loan.sequence);
    EXPECT(MEMLANE_NO_LOAN, memlane_frame_publisher_publish(publisher, NULL));
    OK(memlane_frame_publisher_loan(publisher, &loan));
    OK(memlane_frame_publisher_discard(publisher));
    EXPECT(MEMLANE_NO_LOAN, memlane_frame_publisher_publish(publisher, NULL));

    OK(memlane_frame_subscriber_latest(subscriber, &one));
    OK(memlane_frame_subscriber_latest(subscriber, &two));
    EXPECT(MEMLANE_BORROWS_EXHAUSTED, memlane_frame_subscriber_latest(subscriber, &three));
    OK(memlane_frame_release(&one));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_frame_release(&one));

    /* A frame stays good when its subscriber and its publisher are gone, also after others were made. */
    OK(memlane_close(subscriber));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_frame_subscriber_latest(subscriber, &one));
    OK(memlane_close(publisher));
    for (int round = 0; round < 3; ++round) {
        OK(memlane_frame_subscriber_open(NULL, "misuse/frames", NULL, &subscriber));
        OK(memlane_close(subscriber));
    }
    for (size_t at = 0; at < two.size; ++at) {
        CHECK(((const unsigned char *)two.data)[at] == 7);
    }
    OK(memlane_frame_release(&two));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_frame_publisher_publish(publisher, NULL));
}

static void buffers(void) {
    memlane_queue *queue = NULL;
    memlane_text *text = NULL;
    memlane_value *value = NULL;
    memlane_array *array = NULL;
    memlane_stream_options stream_options = MEMLANE_STREAM_DEFAULTS;
    memlane_stream_publisher *stream = NULL;
    memlane_stream_subscriber *reader = NULL;
    memlane_reservation *reservation = NULL;
    void *room = NULL;
    memlane_record *record = NULL;
    memlane_pipe_end *left = NULL;
    memlane_pipe_end *right = NULL;
    char small[4];
    char large[64] = "";
    size_t size = 0;
    size_t length = 0;
    float wrong = 1;
    OK(memlane_queue_open(NULL, "misuse/queue", MEMLANE_OPEN_OR_CREATE, NULL, &queue));
    OK(memlane_queue_put(queue, MEMLANE_UTF8, "message", 7, 0));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_queue_get(queue, small, sizeof small, &size, NULL, 0));
    CHECK(size == 7);
    EXPECT(MEMLANE_NULL_ARGUMENT, memlane_queue_get(queue, NULL, 64, &size, NULL, 0));
    OK(memlane_queue_get(queue, large, sizeof large, &size, NULL, 0));
    CHECK(size == 7 && memcmp(large, "message", 7) == 0);
    /* More than was reserved, and nothing that is a tag: nothing is sent, and nobody waits for it. */
    OK(memlane_queue_reserve(queue, 4, 0, &reservation, &room));
    EXPECT(MEMLANE_TOO_LARGE, memlane_reservation_commit(reservation, MEMLANE_BYTES, 5));
    EXPECT(MEMLANE_CLOSED_HANDLE, memlane_reservation_commit(reservation, MEMLANE_BYTES, 4));
    OK(memlane_queue_reserve(queue, 4, 0, &reservation, &room));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_reservation_commit(reservation, (memlane_tag)99, 4));
    EXPECT(MEMLANE_TIMEOUT, memlane_queue_get(queue, large, sizeof large, &size, NULL, 0));
    EXPECT(MEMLANE_TOO_LARGE, memlane_queue_put(queue, MEMLANE_BYTES, large, (size_t)1 << 40, 0));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_queue_put(queue, (memlane_tag)99, large, 1, 0));

    OK(memlane_text_open(NULL, "misuse/text", MEMLANE_OPEN_OR_CREATE, 16, &text));
    OK(memlane_text_write(text, "four", 4, NULL));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_text_read(text, small, sizeof small, &size, NULL));
    CHECK(size == 4 && strstr(memlane_last_error(), "5 bytes") != NULL);
    OK(memlane_text_read(text, large, size + 1, &size, NULL));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_text_write(text, "\xff", 1, NULL));
    EXPECT(MEMLANE_TOO_LARGE, memlane_text_write(text, "longer than sixteen", 19, NULL));

    OK(memlane_value_open(NULL, "misuse/value", MEMLANE_OPEN_OR_CREATE, MEMLANE_F64, NULL, &value));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_value_store(value, &wrong, sizeof wrong));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_value_load(value, large, sizeof large));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_value_load(value, small, sizeof small));
    CHECK(strstr(memlane_last_error(), "8 bytes") != NULL);
    OK(memlane_close(value));
    EXPECT(MEMLANE_SCHEMA_MISMATCH,
           memlane_value_open(NULL, "misuse/value", MEMLANE_OPEN_OR_CREATE, MEMLANE_I32, NULL, &value));
    EXPECT(MEMLANE_BAD_ARGUMENT,
           memlane_value_open(NULL, "misuse/value", MEMLANE_OPEN_OR_CREATE, (memlane_scalar)42, NULL, &value));

    OK(memlane_array_open(NULL, "misuse/array", MEMLANE_OPEN_OR_CREATE, "[6]<f4", &array));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_array_read(array, 0, large, 15));
    CHECK(strstr(memlane_last_error(), "16 bytes") != NULL);
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_shape(array, NULL, 0, &size));
    CHECK(size == 1);
    OK(memlane_shape(array, &size, 1, &length));
    CHECK(size == 6 && length == 1);
    OK(memlane_expect_schema(array, "[6]<f4"));
    OK(memlane_expect_schema(array, "<f4"));
    EXPECT(MEMLANE_SCHEMA_MISMATCH, memlane_expect_schema(array, "[5]<f4"));
    EXPECT(MEMLANE_SCHEMA_MISMATCH, memlane_expect_schema(array, "<f8"));
    EXPECT(MEMLANE_SCHEMA_MISMATCH, memlane_expect_schema(queue, "<f8"));
    EXPECT(MEMLANE_BAD_ARGUMENT, memlane_expect_schema(array, "nonsense"));
    OK(memlane_close(array));

    stream_options.schema = "{x:<f8,y:<f8}";
    OK(memlane_stream_publisher_open(NULL, "misuse/stream", MEMLANE_OPEN_OR_CREATE, &stream_options, &stream));
    OK(memlane_stream_subscriber_open(NULL, "misuse/stream", 0, 0, &reader));
    OK(memlane_stream_publisher_append(stream, large, 32, NULL));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_stream_subscriber_next(reader, small, sizeof small, NULL, 0));
    CHECK(strstr(memlane_last_error(), "16 bytes") != NULL);
    EXPECT(MEMLANE_TOO_LARGE, memlane_stream_subscriber_next(reader, large, 32, NULL, 0));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_stream_subscriber_next_many(reader, small, sizeof small, &size, NULL, 0));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_stream_subscriber_last(reader, small, sizeof small, &size, NULL));
    OK(memlane_stream_subscriber_next_many(reader, large, sizeof large, &size, NULL, 0));
    CHECK(size == 2);
    OK(memlane_close(reader));
    OK(memlane_close(stream));

    OK(memlane_record_open(NULL, "misuse/record", MEMLANE_OPEN_OR_CREATE, "{x:<f8}", &record));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_record_read(record, small, sizeof small, NULL));
    EXPECT(MEMLANE_TOO_LARGE, memlane_record_write(record, large, sizeof large, NULL));

    OK(memlane_pipe_end_open(NULL, "misuse/pipe", MEMLANE_OPEN_OR_CREATE, MEMLANE_LEFT, NULL, &left));
    OK(memlane_pipe_end_open(NULL, "misuse/pipe", MEMLANE_OPEN_OR_CREATE, MEMLANE_RIGHT, NULL, &right));
    OK(memlane_pipe_end_send(left, MEMLANE_BYTES, "message", 7, 0));
    EXPECT(MEMLANE_SHORT_BUFFER, memlane_pipe_end_receive(right, small, sizeof small, &size, NULL, 0));
    OK(memlane_pipe_end_poll(right, 0));
    OK(memlane_pipe_end_receive(right, large, sizeof large, &size, NULL, 0));
    CHECK(size == 7);
    OK(memlane_close(left));
    EXPECT(MEMLANE_END_OF_PIPE, memlane_pipe_end_receive(right, large, sizeof large, &size, NULL, MEMLANE_FOREVER));
    EXPECT(MEMLANE_BROKEN_PIPE, memlane_pipe_end_send(right, MEMLANE_BYTES, "message", 7, 0));
    OK(memlane_close(right));
    OK(memlane_close(record));
    OK(memlane_close(text));
    OK(memlane_close(queue));
}

static void *wait_long(void *subscriber) {
    memlane_frame frame;
    memlane_status status = MEMLANE_IN_USE;
    while (status == MEMLANE_IN_USE) {
        status = memlane_frame_subscriber_next(subscriber, MEMLANE_FOREVER, &frame);
    }
    OK(status);
    OK(memlane_frame_release(&frame));
    return NULL;
}

/* Two threads in one subscriber. */
static void two_at_once(void) {
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    memlane_frame_publisher *publisher = NULL;
    memlane_frame_subscriber *subscriber = NULL;
    memlane_loan loan;
    uint64_t missed = 0;
    pthread_t thread;
    options.capacity = 100;
    OK(memlane_frame_publisher_open(NULL, "misuse/two", MEMLANE_OPEN_OR_CREATE, &options, &publisher));
    OK(memlane_frame_subscriber_open(NULL, "misuse/two", NULL, &subscriber));
    CHECK(pthread_create(&thread, NULL, wait_long, subscriber) == 0);
    while (memlane_frame_subscriber_missed(subscriber, &missed) == MEMLANE_OK) {
    }
    EXPECT(MEMLANE_IN_USE, memlane_frame_subscriber_missed(subscriber, &missed));
    OK(memlane_frame_publisher_loan(publisher, &loan));
    OK(memlane_frame_publisher_publish_captured(publisher, 0, 10, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    OK(memlane_close(subscriber));
    OK(memlane_close(publisher));
}

static void locks(void) {
    memlane_lock *lock = NULL;
    memlane_condition *condition = NULL;
    memlane_event *event = NULL;
    memlane_holder holder;
    OK(memlane_lock_open(NULL, "misuse/lock", MEMLANE_OPEN_OR_CREATE, &lock));
    OK(memlane_condition_open(NULL, "misuse/condition", MEMLANE_OPEN_OR_CREATE, 4, &condition));
    OK(memlane_event_open(NULL, "misuse/event", MEMLANE_OPEN_OR_CREATE, false, &event));
    EXPECT(MEMLANE_NOT_OWNER, memlane_lock_release(lock));
    EXPECT(MEMLANE_NOT_OWNER, memlane_condition_wait(condition, lock, 0));
    EXPECT(MEMLANE_WRONG_HANDLE, memlane_condition_wait(condition, event, 0));
    EXPECT(MEMLANE_EMPTY, memlane_lock_holder(lock, &holder));
    OK(memlane_lock_acquire(lock, 0));
    EXPECT(MEMLANE_WOULD_DEADLOCK, memlane_lock_acquire(lock, MEMLANE_FOREVER));
    OK(memlane_lock_holder(lock, &holder));
    CHECK(holder.alive && strncmp(holder.program, "misuse", 6) == 0);
    EXPECT(MEMLANE_TIMEOUT, memlane_condition_wait(condition, lock, 1000000));
    OK(memlane_lock_release(lock));
    OK(memlane_close(event));
    OK(memlane_close(condition));
    OK(memlane_close(lock));
}

int main(void) {
    CHECK(memlane_abi_version() == MEMLANE_ABI_VERSION);
    nulls();
    nothing_had();
    handles();
    long_closed();
    frames();
    buffers();
    two_at_once();
    locks();
    return 0;
}
