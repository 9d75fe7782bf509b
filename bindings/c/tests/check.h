/* What the tests check with: says where, what was expected, what was found and what memlane has to say. */
#ifndef CHECK_H
#define CHECK_H

#include <memlane.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s (memlane: %s)\n", __FILE__, __LINE__, #condition, memlane_last_error()); \
            exit(1); \
        } \
    } while (0)

/* That a call returns a status. */
#define EXPECT(expected, call) \
    do { \
        memlane_status expected_ = (expected); \
        memlane_status found_ = (call); \
        if (found_ != expected_) { \
            fprintf(stderr, "%s:%d: %s is \"%s\" instead of \"%s\" (memlane: %s)\n", __FILE__, __LINE__, #call, \
                    memlane_status_name(found_), memlane_status_name(expected_), memlane_last_error()); \
            exit(1); \
        } \
    } while (0)

#define OK(call) EXPECT(MEMLANE_OK, call)

#endif
