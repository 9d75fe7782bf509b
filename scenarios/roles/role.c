/* A process of the scenarios, in C: carries out commands, a line each, and answers with a line. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <memlane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 200
#define FRAME_SIZE (4 * 6 * 3)

/* {state:|i1,time@8:<f8,count:>u2,position@20:[3]>f4;32} */
struct pose {
    int8_t state;
    double time;
    uint16_t count;       /* big-endian */
    uint32_t position[3]; /* float, big-endian */
};

/* {number:>u2,level:|i1;4} */
struct sample {
    uint16_t number; /* big-endian */
    int8_t level;
};

static const char POSE[] = "{state:|i1,time@8:<f8,count:>u2,position@20:[3]>f4;32}";
static const char SAMPLE[] = "{number:>u2,level:|i1;4}";

/* What the process has open: one of each kind is enough. */
static memlane_value *value;
static memlane_record *record;
static memlane_text *text;
static memlane_lock *lock;
static memlane_queue *queue;
static memlane_queue *work;
static memlane_lease *lease;
static memlane_pipe_end *pipe_end;
static memlane_stream_publisher *stream;
static memlane_stream_subscriber *reader;
static memlane_frame_publisher *publisher;
static memlane_frame_subscriber *viewer;
static memlane_event *event;

static char answer[ROOM];

static int64_t timeout(const char *milliseconds) {
    return strtoll(milliseconds, NULL, 10) * 1000000;
}

static uint32_t float_to_network(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return htonl(bits);
}

static double float_from_network(uint32_t network) {
    float number;
    const uint32_t bits = ntohl(network);
    memcpy(&number, &bits, sizeof number);
    return (double)number;
}

static memlane_status say_number(memlane_status status, double number) {
    snprintf(answer, sizeof answer, "%g", number);
    return status;
}

/* Open handles. */

static memlane_status open_value(char *id, char *rest) {
    double number = strtod(rest, NULL);
    memlane_status status = memlane_value_open(NULL, id, MEMLANE_OPEN_OR_CREATE, MEMLANE_F64, &number, &value);
    if (status == MEMLANE_OK) {
        status = memlane_value_load(value, &number, sizeof number);
    }
    return say_number(status, number);
}

static memlane_status open_integer(char *id) {
    memlane_value *integer = NULL;
    return memlane_value_open(NULL, id, MEMLANE_OPEN_OR_CREATE, MEMLANE_I32, NULL, &integer);
}

static memlane_status open_queue(char *id, bool acknowledged, memlane_queue **opened) {
    memlane_queue_options options = MEMLANE_QUEUE_DEFAULTS;
    options.capacity = 4096;
    options.acknowledged = acknowledged;
    return memlane_queue_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options, opened);
}

static memlane_status open_stream(char *id) {
    memlane_stream_options options = MEMLANE_STREAM_DEFAULTS;
    options.schema = SAMPLE;
    options.capacity = 16;
    return memlane_stream_publisher_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options, &stream);
}

static memlane_status open_frames(char *id) {
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    options.schema = "[4,6,3]|u1";
    return memlane_frame_publisher_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options, &publisher);
}

static memlane_status open_pipe(char *id, char *side) {
    const memlane_side end = strcmp(side, "left") == 0 ? MEMLANE_LEFT : MEMLANE_RIGHT;
    return memlane_pipe_end_open(NULL, id, MEMLANE_OPEN_OR_CREATE, end, NULL, &pipe_end);
}

/* What is done with them. */

static memlane_status wait_for_value(char *rest) {
    const double seen = strtod(rest, &rest);
    double number = 0;
    uint64_t version = 0;
    memlane_status status = memlane_value_read(value, &number, sizeof number, &version);
    if (status == MEMLANE_OK && number >= seen && number <= seen) {
        status = memlane_value_wait_newer(value, &number, sizeof number, &version, timeout(rest));
    }
    return say_number(status, number);
}

static memlane_status add_to_value(char *rest) {
    const double summand = strtod(rest, NULL);
    double sum = 0;
    const memlane_status status = memlane_value_add(value, &summand, &sum, sizeof sum);
    return say_number(status, sum);
}

static memlane_status get_value(void) {
    double number = 0;
    const memlane_status status = memlane_value_load(value, &number, sizeof number);
    return say_number(status, number);
}

static memlane_status set_value(char *rest) {
    const double number = strtod(rest, NULL);
    return memlane_value_store(value, &number, sizeof number);
}

static memlane_status write_record(char *rest) {
    struct pose pose;
    memset(&pose, 0, sizeof pose);
    pose.state = (int8_t)strtol(rest, &rest, 10);
    pose.time = strtod(rest, &rest);
    pose.count = htons((uint16_t)strtoul(rest, &rest, 10));
    for (size_t axis = 0; axis < 3; axis++) {
        pose.position[axis] = float_to_network(strtof(rest, &rest));
    }
    return memlane_record_write(record, &pose, sizeof pose, NULL);
}

static memlane_status read_record(void) {
    struct pose pose;
    const memlane_status status = memlane_record_read(record, &pose, sizeof pose, NULL);
    if (status == MEMLANE_OK) {
        snprintf(answer, sizeof answer, "%d %g %u %g %g %g", pose.state, pose.time, (unsigned)ntohs(pose.count),
                 float_from_network(pose.position[0]), float_from_network(pose.position[1]),
                 float_from_network(pose.position[2]));
    }
    return status;
}

static memlane_status get_message(char *rest) {
    size_t size = 0;
    const memlane_status status = memlane_queue_get(queue, answer, sizeof answer - 1, &size, NULL, timeout(rest));
    answer[size] = 0;
    return status;
}

static memlane_status lease_work(char *rest) {
    const void *message = NULL;
    size_t size = 0;
    uint32_t redelivered = 0;
    memlane_status status = memlane_queue_lease(work, timeout(rest), &lease);
    if (status == MEMLANE_OK) {
        status = memlane_lease_message(lease, &message, &size, NULL, &redelivered);
    }
    if (status == MEMLANE_OK) {
        snprintf(answer, sizeof answer, "%.*s, handed out %" PRIu32 " times before", (int)size, (const char *)message,
                 redelivered);
    }
    return status;
}

static memlane_status receive_message(char *rest) {
    size_t size = 0;
    const memlane_status status =
        memlane_pipe_end_receive(pipe_end, answer, sizeof answer - 1, &size, NULL, timeout(rest));
    answer[size] = 0;
    return status;
}

static memlane_status append_record(char *rest) {
    struct sample sample;
    memset(&sample, 0, sizeof sample);
    sample.number = htons((uint16_t)strtoul(rest, &rest, 10));
    sample.level = (int8_t)strtol(rest, NULL, 10);
    return memlane_stream_publisher_append(stream, &sample, sizeof sample, NULL);
}

static memlane_status next_record(char *rest) {
    struct sample sample;
    uint64_t sequence = 0;
    const memlane_status status =
        memlane_stream_subscriber_next(reader, &sample, sizeof sample, &sequence, timeout(rest));
    if (status == MEMLANE_OK) {
        snprintf(answer, sizeof answer, "%d %d of %" PRIu64, ntohs(sample.number), sample.level, sequence);
    }
    return status;
}

static memlane_status publish_frame(char *rest) {
    memlane_loan loan;
    uint64_t sequence = 0;
    memlane_status status = memlane_frame_publisher_loan(publisher, &loan);
    if (status == MEMLANE_OK) {
        memset(loan.data, (int)strtol(rest, NULL, 10), loan.size);
        status = memlane_frame_publisher_publish(publisher, &sequence);
    }
    snprintf(answer, sizeof answer, "%" PRIu64, sequence);
    return status;
}

static memlane_status next_frame(char *rest) {
    memlane_frame frame;
    const memlane_status status = memlane_frame_subscriber_next(viewer, timeout(rest), &frame);
    if (status != MEMLANE_OK) {
        return status;
    }
    const uint8_t *samples = frame.data;
    /* All alike, if each is like the one behind it. */
    if (frame.size == FRAME_SIZE && memcmp(samples, samples + 1, FRAME_SIZE - 1) == 0) {
        snprintf(answer, sizeof answer, "%" PRIu64 " filled with %d", frame.sequence, samples[0]);
    } else {
        snprintf(answer, sizeof answer, "%" PRIu64 " filled with something else", frame.sequence);
    }
    return memlane_frame_release(&frame);
}

static bool is(const char *command, const char *name) {
    return strcmp(command, name) == 0;
}

/* `id` is the first word behind the command, and `more` what follows; `rest` is both. */
static memlane_status open_one(const char *command, char *id, char *more) {
    if (is(command, "value-open")) return open_value(id, more);
    if (is(command, "integer-open")) return open_integer(id);
    if (is(command, "record-open")) return memlane_record_open(NULL, id, MEMLANE_OPEN_OR_CREATE, POSE, &record);
    if (is(command, "text-open")) return memlane_text_open(NULL, id, MEMLANE_OPEN_OR_CREATE, 100, &text);
    if (is(command, "lock-open")) return memlane_lock_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &lock);
    if (is(command, "queue-open")) return open_queue(id, false, &queue);
    if (is(command, "work-open")) return open_queue(id, true, &work);
    if (is(command, "pipe-open")) return open_pipe(id, more);
    if (is(command, "stream-open")) return open_stream(id);
    if (is(command, "stream-watch")) return memlane_stream_subscriber_open(NULL, id, 0, 0, &reader);
    if (is(command, "frame-open")) return open_frames(id);
    if (is(command, "frame-watch")) return memlane_frame_subscriber_open(NULL, id, NULL, &viewer);
    return memlane_event_open(NULL, id, MEMLANE_OPEN_OR_CREATE, false, &event);
}

static memlane_status act(const char *command, char *rest) {
    if (is(command, "value-get")) return get_value();
    if (is(command, "value-set")) return set_value(rest);
    if (is(command, "value-add")) return add_to_value(rest);
    if (is(command, "value-wait")) return wait_for_value(rest);
    if (is(command, "record-write")) return write_record(rest);
    if (is(command, "record-read")) return read_record();
    if (is(command, "text-write")) return memlane_text_write(text, rest, strlen(rest), NULL);
    if (is(command, "text-read")) return memlane_text_read(text, answer, sizeof answer, NULL, NULL);
    if (is(command, "lock-take")) return memlane_lock_acquire(lock, timeout(rest));
    if (is(command, "lock-consistent")) return memlane_lock_make_consistent(lock);
    if (is(command, "lock-release")) return memlane_lock_release(lock);
    if (is(command, "queue-put")) return memlane_queue_put(queue, MEMLANE_UTF8, rest, strlen(rest), MEMLANE_FOREVER);
    if (is(command, "queue-get")) return get_message(rest);
    if (is(command, "queue-close")) return memlane_queue_shut_down(queue);
    if (is(command, "work-put")) return memlane_queue_put(work, MEMLANE_UTF8, rest, strlen(rest), MEMLANE_FOREVER);
    if (is(command, "work-lease")) return lease_work(rest);
    if (is(command, "work-done")) return memlane_lease_acknowledge(lease);
    if (is(command, "pipe-send")) {
        return memlane_pipe_end_send(pipe_end, MEMLANE_UTF8, rest, strlen(rest), MEMLANE_FOREVER);
    }
    if (is(command, "pipe-recv")) return receive_message(rest);
    if (is(command, "stream-append")) return append_record(rest);
    if (is(command, "stream-next")) return next_record(rest);
    if (is(command, "frame-publish")) return publish_frame(rest);
    if (is(command, "frame-next")) return next_frame(rest);
    if (is(command, "event-set")) return memlane_event_set(event);
    if (is(command, "event-wait")) return memlane_event_wait(event, timeout(rest));
    return MEMLANE_FAULT;
}

int main(void) {
    char line[ROOM];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strchr(line, ' ');
        if (rest != NULL) {
            *rest++ = 0;
        } else {
            rest = line + strlen(line);
        }
        strcpy(answer, "ok");
        memlane_status status;
        if (strstr(line, "-open") != NULL || strstr(line, "-watch") != NULL) {
            char *more = strchr(rest, ' ');
            if (more != NULL) {
                *more++ = 0;
            }
            status = open_one(line, rest, more);
        } else {
            status = act(line, rest);
        }
        puts(status == MEMLANE_OK ? answer : memlane_status_name(status));
        fflush(stdout);
    }
    return 0;
}
