/* A viewer in C: looks at each picture where it lies.
 *
 *     cc viewer.c $(pkg-config --cflags --libs memlane) -o viewer && ./viewer
 */

#include <inttypes.h>
#include <memlane.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, memlane_last_error());
    return EXIT_FAILURE;
}

int main(int count, char **arguments) {
    const long pictures = count > 1 ? strtol(arguments[1], NULL, 10) : 600;
    memlane_frame_subscriber *viewer = NULL;
    if (memlane_space_wait_for(NULL, "camera/front", MEMLANE_FOREVER) != MEMLANE_OK ||
        memlane_frame_subscriber_open(NULL, "camera/front", NULL, &viewer) != MEMLANE_OK) {
        return fail("open");
    }
    for (long picture = 0; picture < pictures; picture++) {
        memlane_frame frame;
        uint64_t missed = 0;
        /* It does not change until it is released, and nobody waits for that. */
        if (memlane_frame_subscriber_next(viewer, MEMLANE_FOREVER, &frame) != MEMLANE_OK) {
            return fail("next");
        }
        const unsigned char *pixels = frame.data;
        uint64_t sum = 0;
        for (size_t byte = 0; byte < frame.size; byte++) {
            sum += pixels[byte];
        }
        memlane_frame_subscriber_missed(viewer, &missed);
        printf("picture %" PRIu64 ": grey %" PRIu64 ", %" PRIu64 " missed\n", frame.sequence, sum / frame.size, missed);
        memlane_frame_release(&frame);
    }
    memlane_close(viewer);
    return EXIT_SUCCESS;
}
