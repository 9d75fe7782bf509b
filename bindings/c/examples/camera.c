/* A camera in C: writes each picture where its viewers read it.
 *
 *     cc camera.c $(pkg-config --cflags --libs memlane) -o camera && ./camera
 *     memlane frame view camera/front
 */

#include <memlane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

static memlane_status say(memlane_status status, const char *what) {
    if (status != MEMLANE_OK) {
        fprintf(stderr, "%s: %s\n", what, memlane_last_error());
    }
    return status;
}

int main(int count, char **arguments) {
    const long pictures = count > 1 ? strtol(arguments[1], NULL, 10) : 600;
    memlane_frame_options options = MEMLANE_FRAME_DEFAULTS;
    options.schema = "[404,640,3]|u1";
    options.encoding = "bgr8";
    options.history = 4;

    memlane_frame_publisher *camera = NULL;
    if (say(memlane_frame_publisher_open(NULL, "camera/front", MEMLANE_OPEN_OR_CREATE, &options, &camera), "open")) {
        return EXIT_FAILURE;
    }
    memlane_status status = MEMLANE_OK;
    for (long picture = 0; picture < pictures && status == MEMLANE_OK; picture++) {
        memlane_loan loan;
        status = say(memlane_frame_publisher_loan(camera, &loan), "loan");
        if (status == MEMLANE_OK) {
            /* A camera's driver would be given loan.data as its buffer. */
            memset(loan.data, (int)(picture % 256), loan.size);
            status = say(memlane_frame_publisher_publish(camera, NULL), "publish");
        }
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000000 / 60}, NULL);
    }
    memlane_close(camera);
    return status == MEMLANE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
