/* A worker: takes jobs from a queue until it is closed and empty, and removes it then, so that the next run has a new one. A
 * job that it does not acknowledge, because it is killed, say, is handed to another worker. */
#include <memlane.h>

#include <stdio.h>
#include <string.h>

static int failed(void) {
    fprintf(stderr, "%s\n", memlane_last_error());
    return 1;
}

int main(void) {
    memlane_queue_options options = MEMLANE_QUEUE_DEFAULTS;
    memlane_queue *jobs = NULL;
    memlane_lease *job = NULL;
    memlane_status status = MEMLANE_OK;
    options.acknowledged = true;
    if (memlane_queue_open(NULL, "jobs", MEMLANE_OPEN_OR_CREATE, &options, &jobs) != MEMLANE_OK) {
        return failed();
    }
    /* Any process, in any language, would put these. A queue that is closed was left by a run that was killed. */
    for (int number = 0; number < 3 && status == MEMLANE_OK; ++number) {
        char text[32];
        const int length = snprintf(text, sizeof text, "frame %d", number);
        status = memlane_queue_put(jobs, MEMLANE_UTF8, text, (size_t)length, MEMLANE_FOREVER);
    }
    if (status != MEMLANE_OK && status != MEMLANE_CLOSED) {
        return failed();
    }
    if (memlane_queue_shut_down(jobs) != MEMLANE_OK) {
        return failed();
    }
    while ((status = memlane_queue_lease(jobs, MEMLANE_FOREVER, &job)) == MEMLANE_OK) {
        const void *data = NULL;
        size_t size = 0;
        if (memlane_lease_message(job, &data, &size, NULL, NULL) != MEMLANE_OK) {
            return failed();
        }
        printf("worked on %.*s\n", (int)size, (const char *)data);
        if (memlane_lease_acknowledge(job) != MEMLANE_OK) {
            return failed();
        }
    }
    if (status != MEMLANE_CLOSED || memlane_space_remove(NULL, "jobs") != MEMLANE_OK || memlane_close(jobs) != MEMLANE_OK) {
        return failed();
    }
    return 0;
}
