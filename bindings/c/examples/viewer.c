/* A viewer: waits for a camera, and reads its pictures where they lie. How many frames is the first argument; without one it
 * shows itself a picture of its own, unless there is a camera. */
#include <memlane.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(void) {
    fprintf(stderr, "%s\n", memlane_last_error());
    return 1;
}

static int show_myself(void) {
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    memlane_frame_publisher *camera = NULL;
    memlane_loan loan;
    memlane_status status = MEMLANE_OK;
    options.schema = "[404,640,3]|u1";
    options.encoding = "bgr8";
    status = memlane_frame_publisher_open(NULL, "camera/front", MEMLANE_OPEN_OR_CREATE, &options, &camera);
    if (status == MEMLANE_PUBLISHER_EXISTS) {
        return 0;
    }
    if (status != MEMLANE_OK || memlane_frame_publisher_loan(camera, &loan) != MEMLANE_OK) {
        return failed();
    }
    memset(loan.data, 128, loan.size);
    if (memlane_frame_publisher_publish(camera, NULL) != MEMLANE_OK || memlane_close(camera) != MEMLANE_OK) {
        return failed();
    }
    return 0;
}

int main(int count, char **arguments) {
    const int frames = count > 1 ? atoi(arguments[1]) : 1;
    memlane_subscriber_options options = MEMLANE_SUBSCRIBER_DEFAULTS;
    memlane_frame_subscriber *viewer = NULL;
    uint64_t missed = 0;
    if (count < 2 && show_myself() != 0) {
        return 1;
    }
    options.history = 1;
    if (memlane_space_wait_for(NULL, "camera/front", MEMLANE_FOREVER) != MEMLANE_OK ||
        memlane_frame_subscriber_open(NULL, "camera/front", &options, &viewer) != MEMLANE_OK) {
        return failed();
    }
    for (int seen = 0; seen < frames; ++seen) {
        memlane_frame frame;
        if (memlane_frame_subscriber_next(viewer, MEMLANE_FOREVER, &frame) != MEMLANE_OK) {
            return failed();
        }
        printf("frame %llu: %zu bytes, first pixel %d\n", (unsigned long long)frame.sequence, frame.size,
               ((const unsigned char *)frame.data)[0]);
        if (memlane_frame_release(&frame) != MEMLANE_OK) {
            return failed();
        }
    }
    if (memlane_frame_subscriber_missed(viewer, &missed) != MEMLANE_OK || memlane_close(viewer) != MEMLANE_OK) {
        return failed();
    }
    printf("missed %llu\n", (unsigned long long)missed);
    return 0;
}
