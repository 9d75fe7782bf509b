/* A role of a scenario, in C: takes steps from its standard input, one a line. */
#include "../check.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Handles that are used again, by their ids. */
static struct {
    char id[64];
    void *handle;
} kept[16];

static void *kept_as(const char *id) {
    for (size_t at = 0; at < sizeof kept / sizeof *kept; ++at) {
        if (strcmp(kept[at].id, id) == 0) {
            return kept[at].handle;
        }
    }
    return NULL;
}

static void keep(const char *id, void *handle) {
    size_t at = 0;
    while (kept[at].handle != NULL) {
        ++at;
        CHECK(at < sizeof kept / sizeof *kept);
    }
    (void)snprintf(kept[at].id, sizeof kept[at].id, "%s", id);
    kept[at].handle = handle;
}

static bool cell_step(const char *verb, const char *id, const char *argument) {
    if (strcmp(verb, "value_store") == 0 || strcmp(verb, "value_wait") == 0) {
        memlane_value *value = NULL;
        double wanted = atof(argument);
        double seen = 0;
        uint64_t version = 0;
        OK(memlane_value_open(NULL, id, MEMLANE_OPEN_OR_CREATE, MEMLANE_F64, NULL, &value));
        if (verb[6] == 's') {
            OK(memlane_value_store(value, &wanted, sizeof wanted));
        } else {
            OK(memlane_value_read(value, &seen, sizeof seen, &version));
            while (memcmp(&seen, &wanted, sizeof seen) != 0) {
                OK(memlane_value_wait_newer(value, &seen, sizeof seen, &version, MEMLANE_FOREVER));
            }
        }
    } else if (strcmp(verb, "record_write") == 0 || strcmp(verb, "record_wait") == 0) {
        const unsigned char number = (unsigned char)atoi(argument);
        const double x = number + 0.5;
        unsigned char wanted[24] = {number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, number, 2, number};
        unsigned char found[24];
        memlane_record *record = NULL;
        uint64_t version = 0;
        memcpy(wanted + 8, &x, sizeof x);
        OK(memlane_record_open(NULL, id, MEMLANE_OPEN_OR_CREATE, "{id:|u1,x@8:<f8,level:[2]>u2;24}", &record));
        if (strcmp(verb, "record_write") == 0) {
            OK(memlane_record_write(record, wanted, sizeof wanted, NULL));
        } else {
            OK(memlane_record_read(record, found, sizeof found, &version));
            while (memcmp(found, wanted, 20) != 0) {
                OK(memlane_record_wait_newer(record, &version, MEMLANE_FOREVER));
                OK(memlane_record_read(record, found, sizeof found, &version));
            }
        }
    } else if (strcmp(verb, "text_write") == 0 || strcmp(verb, "text_wait") == 0) {
        memlane_text *text = NULL;
        char found[4097];
        uint64_t version = 0;
        OK(memlane_text_open(NULL, id, MEMLANE_OPEN_OR_CREATE, 4096, &text));
        if (strcmp(verb, "text_write") == 0) {
            OK(memlane_text_write(text, argument, strlen(argument), NULL));
        } else {
            OK(memlane_text_read(text, found, sizeof found, NULL, &version));
            while (strcmp(found, argument) != 0) {
                OK(memlane_text_wait_newer(text, &version, MEMLANE_FOREVER));
                OK(memlane_text_read(text, found, sizeof found, NULL, &version));
            }
        }
    } else {
        return false;
    }
    return true;
}

static bool sync_step(const char *verb, const char *id, const char *argument) {
    if (strcmp(verb, "event_set") == 0 || strcmp(verb, "event_wait") == 0 || strcmp(verb, "timeout") == 0) {
        memlane_event *event = NULL;
        OK(memlane_event_open(NULL, id, MEMLANE_OPEN_OR_CREATE, false, &event));
        if (strcmp(verb, "event_set") == 0) {
            OK(memlane_event_set(event));
        } else if (strcmp(verb, "event_wait") == 0) {
            OK(memlane_event_wait(event, MEMLANE_FOREVER));
        } else {
            EXPECT(MEMLANE_TIMEOUT, memlane_event_wait(event, 10000000));
        }
    } else if (strcmp(verb, "lock_acquire") == 0) {
        memlane_lock *lock = kept_as(id);
        if (lock == NULL) {
            OK(memlane_lock_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &lock));
            keep(id, lock);
        }
        if (strcmp(argument, "died") == 0) {
            EXPECT(MEMLANE_OWNER_DIED, memlane_lock_acquire(lock, MEMLANE_FOREVER));
            OK(memlane_lock_make_consistent(lock));
        } else {
            OK(memlane_lock_acquire(lock, MEMLANE_FOREVER));
        }
    } else if (strcmp(verb, "lock_release") == 0) {
        OK(memlane_lock_release(kept_as(id)));
    } else {
        return false;
    }
    return true;
}

static bool queue_step(const char *verb, const char *id, const char *argument) {
    memlane_queue_options options = MEMLANE_QUEUE_DEFAULTS;
    memlane_queue *queue = NULL;
    memlane_lease *lease = NULL;
    char found[256];
    size_t size = 0;
    const void *data = NULL;
    uint32_t redelivered = 0;
    options.acknowledged = strncmp(verb, "work", 4) == 0;
    options.capacity = 4096;
    if (strncmp(verb, "work", 4) != 0 && strncmp(verb, "queue", 5) != 0) {
        return false;
    }
    OK(memlane_queue_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options, &queue));
    if (strstr(verb, "_put") != NULL) {
        OK(memlane_queue_put(queue, MEMLANE_UTF8, argument, strlen(argument), MEMLANE_FOREVER));
    } else if (strcmp(verb, "queue_take") == 0) {
        OK(memlane_queue_get(queue, found, sizeof found, &size, NULL, MEMLANE_FOREVER));
        CHECK(size == strlen(argument) && memcmp(found, argument, size) == 0);
    } else {
        OK(memlane_queue_lease(queue, MEMLANE_FOREVER, &lease));
        OK(memlane_lease_message(lease, &data, &size, NULL, &redelivered));
        CHECK(size == strlen(argument) && memcmp(data, argument, size) == 0);
        if (strcmp(verb, "work_take") == 0) {
            CHECK(redelivered == 1);
            OK(memlane_lease_acknowledge(lease));
        }
    }
    return true;
}

static bool pipe_step(const char *verb, const char *id, const char *side, const char *argument) {
    memlane_pipe_end *end = kept_as(id);
    char found[256];
    size_t size = 0;
    if (strncmp(verb, "pipe", 4) != 0) {
        return false;
    }
    if (end == NULL) {
        OK(memlane_pipe_end_open(NULL, id, MEMLANE_OPEN_OR_CREATE,
                                 strcmp(side, "left") == 0 ? MEMLANE_LEFT : MEMLANE_RIGHT, NULL, &end));
        keep(id, end);
    }
    if (strcmp(verb, "pipe_send") == 0) {
        OK(memlane_pipe_end_send(end, MEMLANE_UTF8, argument, strlen(argument), MEMLANE_FOREVER));
    } else if (strcmp(verb, "pipe_receive") == 0) {
        OK(memlane_pipe_end_receive(end, found, sizeof found, &size, NULL, MEMLANE_FOREVER));
        CHECK(size == strlen(argument) && memcmp(found, argument, size) == 0);
    } else {
        EXPECT(MEMLANE_END_OF_PIPE, memlane_pipe_end_receive(end, found, sizeof found, &size, NULL, MEMLANE_FOREVER));
    }
    return true;
}

static bool channel_step(const char *verb, const char *id, const char *argument) {
    const int number = atoi(argument);
    void *handle = kept_as(id);
    if (strcmp(verb, "stream_append") == 0 || strcmp(verb, "stream_next") == 0) {
        double value = number;
        if (strcmp(verb, "stream_append") == 0) {
            memlane_stream_options options = MEMLANE_STREAM_DEFAULTS;
            options.schema = "<f8";
            if (handle == NULL) {
                OK(memlane_stream_publisher_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options,
                                                 (memlane_stream_publisher **)&handle));
                keep(id, handle);
            }
            OK(memlane_stream_publisher_append(handle, &value, sizeof value, NULL));
        } else {
            if (handle == NULL) {
                OK(memlane_space_wait_for(NULL, id, MEMLANE_FOREVER));
                OK(memlane_stream_subscriber_open(NULL, id, 1000, 0, (memlane_stream_subscriber **)&handle));
                keep(id, handle);
            }
            OK(memlane_stream_subscriber_next(handle, &value, sizeof value, NULL, MEMLANE_FOREVER));
            CHECK((int)value == number);
        }
    } else if (strcmp(verb, "frame_publish") == 0) {
        memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
        memlane_frame_publisher *publisher = NULL;
        memlane_loan loan;
        options.schema = "[4,6,3]|u1";
        options.encoding = "bgr8";
        OK(memlane_frame_publisher_open(NULL, id, MEMLANE_OPEN_OR_CREATE, &options, &publisher));
        OK(memlane_frame_publisher_loan(publisher, &loan));
        memset(loan.data, number, loan.size);
        OK(memlane_frame_publisher_publish(publisher, NULL));
    } else if (strcmp(verb, "frame_next") == 0) {
        memlane_subscriber_options options = MEMLANE_SUBSCRIBER_DEFAULTS;
        memlane_frame_subscriber *subscriber = NULL;
        memlane_frame frame;
        options.history = 1;
        OK(memlane_space_wait_for(NULL, id, MEMLANE_FOREVER));
        OK(memlane_frame_subscriber_open(NULL, id, &options, &subscriber));
        OK(memlane_frame_subscriber_next(subscriber, MEMLANE_FOREVER, &frame));
        CHECK(frame.size == 72 && frame.sequence == 1);
        for (size_t at = 0; at < frame.size; ++at) {
            CHECK(((const unsigned char *)frame.data)[at] == number);
        }
        OK(memlane_frame_release(&frame));
    } else {
        return false;
    }
    return true;
}

int main(void) {
    char line[512];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char verb[64] = "";
        char id[64] = "";
        char argument[256] = "";
        char last[256] = "";
        (void)sscanf(line, "%63s %63s %255s %255s", verb, id, argument, last);
        if (strcmp(verb, "die") == 0) {
            (void)raise(SIGKILL);
        }
        if (!cell_step(verb, id, argument) && !sync_step(verb, id, argument) && !queue_step(verb, id, argument) &&
            !pipe_step(verb, id, argument, last) && !channel_step(verb, id, argument)) {
            fprintf(stderr, "no step: %s\n", line);
            return 1;
        }
    }
    return 0;
}
