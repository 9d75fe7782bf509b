/* memlane: shared memory for real-time tools. This file is generated from the Rust source; do not edit it.
 *
 * A pointer is NULL where that is said to be allowed, and otherwise what the function asks for; a NULL where none is
 * allowed is MEMLANE_NULL_ARGUMENT. Text is UTF-8 with a NUL at its end. Times are nanoseconds; a timeout of
 * MEMLANE_FOREVER waits for ever; 0, or a difference to a deadline that is below 0, does not wait.
 *
 * Every function but those that only say something returns a status; all but MEMLANE_OK leave a message for
 * memlane_last_error(). Nothing is written to a result then, except where that is said; but what would be a handle, an
 * address, a loan or a frame is NULL, so that nothing is closed or given back that is not there.
 *
 * A handle is made by a function ..._open() and ended by memlane_close(), and by nothing else, in any thread. memlane
 * frees what it allocates; what the caller passes stays the caller's. A handle may be used by several threads at once,
 * except publishers, subscribers and one direction of the end of a pipe: two threads at once are MEMLANE_IN_USE there. No
 * thread may use a handle while another one closes it; after that it is MEMLANE_CLOSED_HANDLE.
 */

#ifndef MEMLANE_H
#define MEMLANE_H


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/**
 * Version of this interface: a program that was compiled with one finds another one only after it was compiled
 * again.
 */
#define MEMLANE_ABI_VERSION 1

/**
 * Wait for ever. Any other timeout below 0 is a deadline that has passed, and does not wait.
 */
#define MEMLANE_FOREVER INT64_MIN

/**
 * Room for a program's name with its NUL.
 */
#define MEMLANE_PROGRAM_SIZE 32

/**
 * What became of a call. Everything but MEMLANE_OK leaves a message for `memlane_last_error()`.
 */
enum memlane_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    MEMLANE_OK = 0,
    /**
     * The time was up before what was waited for came.
     */
    MEMLANE_TIMEOUT = 1,
    /**
     * The lock was taken, and its last owner died or abandoned it: what it protects may be half-changed.
     */
    MEMLANE_OWNER_DIED = 2,
    /**
     * A conditional write came too late: what stands is newer than what it was based on.
     */
    MEMLANE_CONFLICT = 3,
    /**
     * There is nothing yet.
     */
    MEMLANE_EMPTY = 4,
    /**
     * The queue is closed.
     */
    MEMLANE_CLOSED = 5,
    /**
     * The other end of the pipe is gone, and everything it sent was read.
     */
    MEMLANE_END_OF_PIPE = 6,
    /**
     * The other end of the pipe is gone, and nobody will read what is sent.
     */
    MEMLANE_BROKEN_PIPE = 7,
    /**
     * The publisher died, and the subscriber wants to be told.
     */
    MEMLANE_PUBLISHER_DIED = 8,
    /**
     * The function given to `memlane_interrupt_when()` ended the wait.
     */
    MEMLANE_INTERRUPTED = 9,
    /**
     * What was to be read is longer than the buffer; it is still there.
     */
    MEMLANE_SHORT_BUFFER = 10,
    /**
     * A pointer that must not be NULL is.
     */
    MEMLANE_NULL_ARGUMENT = 20,
    /**
     * Not a handle, or one of something else.
     */
    MEMLANE_WRONG_HANDLE = 21,
    /**
     * The handle was closed.
     */
    MEMLANE_CLOSED_HANDLE = 22,
    /**
     * Another thread is in a call with this handle, which is for one at a time.
     */
    MEMLANE_IN_USE = 23,
    /**
     * An argument has a value that it cannot have.
     */
    MEMLANE_BAD_ARGUMENT = 24,
    /**
     * There is no loan to publish: it was published or discarded already, or never taken.
     */
    MEMLANE_NO_LOAN = 25,
    /**
     * The frame on loan is to be published or discarded first.
     */
    MEMLANE_ON_LOAN = 26,
    /**
     * There is no such region.
     */
    MEMLANE_NOT_FOUND = 40,
    /**
     * A region of that id exists already.
     */
    MEMLANE_ALREADY_EXISTS = 41,
    /**
     * `a` beside `a/b`: a name is a region or a folder.
     */
    MEMLANE_NAME_CONFLICT = 42,
    /**
     * The region is of another kind.
     */
    MEMLANE_WRONG_KIND = 43,
    /**
     * The region has another schema.
     */
    MEMLANE_SCHEMA_MISMATCH = 44,
    /**
     * The region was made with other parameters.
     */
    MEMLANE_PARAMETER_MISMATCH = 45,
    /**
     * Not an id.
     */
    MEMLANE_BAD_ID = 46,
    /**
     * The directory cannot hold a space.
     */
    MEMLANE_BAD_SPACE = 47,
    /**
     * Not a schema, or a value that does not fit it.
     */
    MEMLANE_BAD_SCHEMA = 48,
    /**
     * The bytes are not those of a region.
     */
    MEMLANE_CORRUPT = 49,
    /**
     * The file system has no room.
     */
    MEMLANE_NO_SPACE = 50,
    /**
     * The file's mode does not let this user.
     */
    MEMLANE_PERMISSION_DENIED = 51,
    /**
     * As many processes are attached as the region was made for.
     */
    MEMLANE_TOO_MANY_PARTICIPANTS = 52,
    /**
     * Giving back what this thread does not hold.
     */
    MEMLANE_NOT_OWNER = 53,
    /**
     * This thread would wait for itself.
     */
    MEMLANE_WOULD_DEADLOCK = 54,
    /**
     * More permits than there are.
     */
    MEMLANE_TOO_MANY = 55,
    /**
     * A bounded semaphore would be raised above its bound.
     */
    MEMLANE_OVERFLOW = 56,
    /**
     * The barrier is broken.
     */
    MEMLANE_BROKEN_BARRIER = 57,
    /**
     * As many threads wait as the condition was made for.
     */
    MEMLANE_TOO_MANY_WAITERS = 58,
    /**
     * Somebody living has this end of the pipe.
     */
    MEMLANE_END_TAKEN = 59,
    /**
     * Somebody living publishes there.
     */
    MEMLANE_PUBLISHER_EXISTS = 60,
    /**
     * All borrow entries are claimed by living subscribers.
     */
    MEMLANE_SUBSCRIBERS_EXHAUSTED = 61,
    /**
     * This subscriber holds as many frames as it may.
     */
    MEMLANE_BORROWS_EXHAUSTED = 62,
    /**
     * More bytes, or another number of them, than fits.
     */
    MEMLANE_TOO_LARGE = 63,
    /**
     * No such element.
     */
    MEMLANE_OUT_OF_RANGE = 64,
    /**
     * The content changed faster than it could be copied.
     */
    MEMLANE_BUSY = 65,
    /**
     * The record has no such field.
     */
    MEMLANE_NO_FIELD = 66,
    /**
     * The handle belongs to the parent process.
     */
    MEMLANE_FORKED = 67,
    /**
     * A parameter is out of its limits.
     */
    MEMLANE_BAD_PARAMETER = 68,
    /**
     * The system refused.
     */
    MEMLANE_SYSTEM = 80,
    /**
     * A fault of memlane itself; please report it.
     */
    MEMLANE_FAULT = 81,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum memlane_status memlane_status;
#else
typedef uint32_t memlane_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a region is opened.
 */
enum memlane_opening
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Opened, or made when it is missing: programs start in any order.
     */
    MEMLANE_OPEN_OR_CREATE = 0,
    /**
     * Made; it must not exist.
     */
    MEMLANE_CREATE = 1,
    /**
     * Opened; it must exist. What it is made for is not looked at.
     */
    MEMLANE_OPEN = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum memlane_opening memlane_opening;
#else
typedef uint32_t memlane_opening;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An end of a pipe.
 */
enum memlane_side
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The one that sends, in a one-way pipe.
     */
    MEMLANE_LEFT = 0,
    /**
     * The one that receives, in a one-way pipe.
     */
    MEMLANE_RIGHT = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum memlane_side memlane_side;
#else
typedef uint32_t memlane_side;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a message's bytes are said to be.
 */
enum memlane_tag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Bytes.
     */
    MEMLANE_BYTES = 0,
    /**
     * UTF-8 text.
     */
    MEMLANE_UTF8 = 1,
    /**
     * JSON text.
     */
    MEMLANE_JSON = 2,
    /**
     * A Python pickle.
     */
    MEMLANE_PICKLE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum memlane_tag memlane_tag;
#else
typedef uint32_t memlane_tag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The type of a value.
 */
enum memlane_scalar
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * bool
     */
    MEMLANE_BOOL = 0,
    /**
     * int8_t
     */
    MEMLANE_I8 = 1,
    /**
     * uint8_t
     */
    MEMLANE_U8 = 2,
    /**
     * int16_t
     */
    MEMLANE_I16 = 3,
    /**
     * uint16_t
     */
    MEMLANE_U16 = 4,
    /**
     * int32_t
     */
    MEMLANE_I32 = 5,
    /**
     * uint32_t
     */
    MEMLANE_U32 = 6,
    /**
     * int64_t
     */
    MEMLANE_I64 = 7,
    /**
     * uint64_t
     */
    MEMLANE_U64 = 8,
    /**
     * float
     */
    MEMLANE_F32 = 9,
    /**
     * double
     */
    MEMLANE_F64 = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum memlane_scalar memlane_scalar;
#else
typedef uint32_t memlane_scalar;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Elements in place, each changed by one instruction; several at once under the region's lock.
 */
typedef struct memlane_array memlane_array;

/**
 * A meeting of so many parties. It breaks when one of them dies.
 */
typedef struct memlane_barrier memlane_barrier;

/**
 * Something to wait for under a lock.
 */
typedef struct memlane_condition memlane_condition;

/**
 * A flag to wait for. One with automatic reset lets one waiter go for each time it is set.
 */
typedef struct memlane_event memlane_event;

/**
 * The one who publishes frames. When its process dies, the next one takes over and the sequence goes on.
 */
typedef struct memlane_frame_publisher memlane_frame_publisher;

/**
 * One reader of a frame channel.
 */
typedef struct memlane_frame_subscriber memlane_frame_subscriber;

/**
 * A message that was handed out and waits to be acknowledged.
 */
typedef struct memlane_lease memlane_lease;

/**
 * Mutual exclusion between processes, which says when its owner died.
 */
typedef struct memlane_lock memlane_lock;

/**
 * One end of a pipe. One thread may send while another receives.
 */
typedef struct memlane_pipe_end memlane_pipe_end;

/**
 * Messages of any size between any number of processes, each taken once.
 */
typedef struct memlane_queue memlane_queue;

/**
 * Bytes in place, for types of one's own.
 */
typedef struct memlane_raw memlane_raw;

/**
 * A structure that changes as a whole, or not at all.
 */
typedef struct memlane_record memlane_record;

/**
 * Room for a message that is written where it will lie.
 */
typedef struct memlane_reservation memlane_reservation;

/**
 * A lock that the thread which holds it may take again.
 */
typedef struct memlane_rlock memlane_rlock;

/**
 * Many readers or one writer. A dead reader is not waited for.
 */
typedef struct memlane_rwlock memlane_rwlock;

/**
 * A number of permits, each held by a process: they return when it dies.
 */
typedef struct memlane_semaphore memlane_semaphore;

/**
 * A counter that anybody may raise, and that is waited for to be above zero.
 */
typedef struct memlane_signal_semaphore memlane_signal_semaphore;

/**
 * A directory of regions, and how new ones are made there.
 */
typedef struct memlane_space memlane_space;

/**
 * The one who publishes records. When its process dies, the next one takes over and the numbers go on.
 */
typedef struct memlane_stream_publisher memlane_stream_publisher;

/**
 * One reader of a stream.
 */
typedef struct memlane_stream_subscriber memlane_stream_subscriber;

/**
 * UTF-8 of bounded length, which changes as a whole.
 */
typedef struct memlane_text memlane_text;

/**
 * A scalar of up to 8 bytes, changed by one instruction.
 */
typedef struct memlane_value memlane_value;

/**
 * A process that is attached to a region, or died with it.
 */
typedef struct memlane_participant {
    /**
     * Process id in its own PID namespace; 0 when nothing is known any more.
     */
    uint32_t pid;
    /**
     * Whether it lives.
     */
    bool alive;
    /**
     * Its place in the region's table.
     */
    uint16_t slot;
    /**
     * Which use of that place.
     */
    uint32_t generation;
    /**
     * When it attached, in nanoseconds since the Unix epoch.
     */
    uint64_t attached;
    /**
     * Its program's name, cut if need be, with a NUL at its end.
     */
    char program[MEMLANE_PROGRAM_SIZE];
} memlane_participant;

/**
 * How new regions are made; begin with MEMLANE_SPACE_DEFAULTS.
 */
typedef struct memlane_space_options {
    /**
     * Room for so many processes in each new region, 1 to 4095.
     */
    uint16_t participants;
    /**
     * File mode of new regions: 0660 opens them to the file's group, 0644 to observers.
     */
    uint32_t mode;
    /**
     * Text for people, kept with each new region; NULL for none.
     */
    const char *note;
    /**
     * Regions are brought into memory whole when opened, and never swapped out.
     */
    bool resident;
    /**
     * Regions last only as long as somebody has them open.
     */
    bool ephemeral;
} memlane_space_options;

/**
 * What a frame channel is made for; begin with MEMLANE_FRAME_DEFAULTS and say either `schema` or `capacity`.
 */
typedef struct memlane_frame_options {
    /**
     * What a frame is: `[404,640,3]|u1` are 404 rows of 640 pixels with 3 samples of 8 bits; NULL for frames of any
     * length.
     */
    const char *schema;
    /**
     * How the bytes are to be understood: "bgr8", "rgb8", "mono8", "jpeg" …; NULL says nothing.
     */
    const char *encoding;
    /**
     * The most bytes of a frame, where they vary in length.
     */
    size_t capacity;
    /**
     * How many frames stay on offer, 1 to 2048.
     */
    uint32_t history;
    /**
     * How many frames all subscribers together can hold, 1 to 1024.
     */
    uint32_t borrows;
} memlane_frame_options;

/**
 * A frame that is being written in place. It holds what some earlier frame left there.
 */
typedef struct memlane_loan {
    /**
     * Where the frame lies: plain memory that nobody else looks at until it is published.
     */
    void *data;
    /**
     * Bytes of the frame; the most there can be when their length varies.
     */
    size_t size;
    /**
     * The number that it will have, from 1, going on across publishers.
     */
    uint64_t sequence;
} memlane_loan;

/**
 * How a subscriber reads; begin with MEMLANE_SUBSCRIBER_DEFAULTS.
 */
typedef struct memlane_subscriber_options {
    /**
     * How many frames it can hold at once, 1 to 64: a loop holds the one before while it takes the next.
     */
    uint32_t borrows;
    /**
     * Begins with up to so many frames that were published before.
     */
    uint64_t history;
    /**
     * Nanoseconds to look before sleeping: costs a processor, wakes in well under a microsecond.
     */
    uint64_t spin;
    /**
     * Ends with MEMLANE_PUBLISHER_DIED, once for each death, instead of waiting for the next publisher.
     */
    bool report_death;
} memlane_subscriber_options;

/**
 * A frame that is read where it lies. It does not change until it is given back with `memlane_frame_release()`,
 * whatever becomes of its publisher, and also when its subscriber is closed.
 */
typedef struct memlane_frame {
    /**
     * Where it lies.
     */
    const void *data;
    /**
     * Its bytes.
     */
    size_t size;
    /**
     * Its number, from 1, going on across publishers.
     */
    uint64_t sequence;
    /**
     * When it was captured, in nanoseconds of CLOCK_MONOTONIC.
     */
    uint64_t captured;
    /**
     * When it was captured, in nanoseconds since the Unix epoch.
     */
    uint64_t captured_wall;
    /**
     * Of memlane alone; NULL when there is no frame: it was given back, or none was had.
     */
    const struct memlane_frame_subscriber *owner;
    /**
     * Of memlane alone.
     */
    size_t entry;
} memlane_frame;

/**
 * Who holds a lock.
 */
typedef struct memlane_holder {
    /**
     * Process id in its own PID namespace.
     */
    uint32_t pid;
    /**
     * Its thread's id; 0 when it is held without a thread.
     */
    uint32_t thread;
    /**
     * Whether it lives: the lock of a dead one is had at once.
     */
    bool alive;
    /**
     * How often it holds the lock.
     */
    uint32_t depth;
    /**
     * For how many nanoseconds.
     */
    uint64_t held_for;
    /**
     * Its program's name, cut if need be, with a NUL at its end.
     */
    char program[MEMLANE_PROGRAM_SIZE];
} memlane_holder;

/**
 * How a pipe is made; begin with MEMLANE_PIPE_DEFAULTS.
 */
typedef struct memlane_pipe_options {
    /**
     * Room each way for one message of so many bytes, or for as many as fit with 8 bytes more for each.
     */
    size_t capacity;
    /**
     * The left end sends, the right end receives; else both do both.
     */
    bool one_way;
} memlane_pipe_options;

/**
 * How a queue is made; begin with MEMLANE_QUEUE_DEFAULTS.
 */
typedef struct memlane_queue_options {
    /**
     * Room for one message of so many bytes, or for as many as fit with 8 bytes more for each.
     */
    size_t capacity;
    /**
     * The most messages at once; 0 for no limit of their number.
     */
    uint32_t messages;
    /**
     * Messages are kept until whoever took them acknowledges; those of the dead are handed out again.
     */
    bool acknowledged;
} memlane_queue_options;

/**
 * What a stream is made for; begin with MEMLANE_STREAM_DEFAULTS and say `schema`.
 */
typedef struct memlane_stream_options {
    /**
     * What a record is: `{emg:[8]|i1,t:<f8}`.
     */
    const char *schema;
    /**
     * How many records are kept at least.
     */
    uint64_t capacity;
    /**
     * 0, or for how many readers the publisher waits as long as they live, up to 1024: a lossless stream.
     */
    uint32_t readers;
    /**
     * How many nanoseconds an append to a lossless stream waits for a reader that does not read; MEMLANE_FOREVER for
     * ever.
     */
    int64_t patience;
} memlane_stream_options;

/**
 * One of the things to wait for.
 */
typedef struct memlane_wait_item {
    /**
     * A handle: of a value, record, array, raw bytes or text, for a version other than `seen`; of a subscriber,
     * queue or end of a pipe, for something to take; of an event, semaphore or lock, for it to be had.
     */
    const void *handle;
    /**
     * The version that was seen, of what has versions.
     */
    uint64_t seen;
    /**
     * Whether it is ready: set by `memlane_wait_any()`.
     */
    bool ready;
} memlane_wait_item;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Closes a handle of any type: what this process holds with it, locks and permits, it holds as long as it has
 * another handle of the region. NULL is nothing. Memory that was got from it is not good any more, except frames
 * that are still held. No other thread may be in a call with it.
 *
 * What was lent is given up: a loan is discarded, a lease is handed out again, a reservation sends nothing.
 */
memlane_status memlane_close(void *handle);

/**
 * What the last call of this thread that did not return MEMLANE_OK has to say: which region, what was expected, what
 * was found, what to do next. Empty when there was none. Owned by memlane, and good until the next such call of this
 * thread.
 */
const char *memlane_last_error(void);

/**
 * The word for a status, for people: "timeout". Owned by memlane, and good for ever.
 */
const char *memlane_status_name(memlane_status status);

/**
 * MEMLANE_ABI_VERSION of the library that is running.
 */
uint32_t memlane_abi_version(void);

/**
 * The library's version: "0.1.0". Owned by memlane, and good for ever.
 */
const char *memlane_version_text(void);

/**
 * Lets this thread's waits end with MEMLANE_INTERRUPTED once `should_end` returns true: at best, it returns a flag
 * that a signal handler sets. NULL ends that. Without it a signal does not end a wait.
 *
 * It is asked at each signal that the thread gets while it sleeps, and every 40 ms at least, so it has to be quick.
 * Only an answer within a wait counts: look at the flag yourself between two waits. What the wait obtained in the
 * same instant is not lost: it is returned with MEMLANE_OK.
 */
void memlane_interrupt_when(bool (*should_end)(void));

/**
 * The change counter of a region, by any handle of it.
 */
memlane_status memlane_version(const void *handle, uint64_t *version);

/**
 * Whether the region's name was removed; its memory stays until the last handle is gone.
 */
memlane_status memlane_unlinked(const void *handle, bool *unlinked);

/**
 * Copies the region's id, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL,
 * also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
 */
memlane_status memlane_id(const void *handle, char *buffer, size_t capacity, size_t *length);

/**
 * Copies what the region's bytes mean, its schema as text with a NUL at its end, into a buffer: `[404,640,3]|u1`.
 * Empty for kinds without one. `length` (NULL: not wanted) is without the NUL,
 * also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
 */
memlane_status memlane_schema(const void *handle, char *buffer, size_t capacity, size_t *length);

/**
 * The lengths of what the region's bytes are, the outermost first: 404, 640, 3 for pictures of 404 rows of 640 pixels
 * with 3 samples. `count` is how many there are, 0 for kinds without a schema; MEMLANE_SHORT_BUFFER when that is more
 * than the `capacity` of `lengths`.
 */
memlane_status memlane_shape(const void *handle, size_t *lengths, size_t capacity, size_t *count);

/**
 * MEMLANE_SCHEMA_MISMATCH, with both in the message, unless the region's bytes mean what `schema` says. Of an array,
 * one without a shape, `<f4`, asks what its elements are, however many. For who opened with MEMLANE_OPEN, and for
 * subscribers: whoever lays a type over the bytes asks first.
 */
memlane_status memlane_expect_schema(const void *handle, const char *schema);

/**
 * Calls `each` with every process that has the region open or died with it. What it gets is good during the call
 * only.
 */
memlane_status memlane_participants(const void *handle, void (*each)(const struct memlane_participant *participant,
                                                                     void *context), void *context);

/**
 * The own lock of a region of any kind, for its users: no kind takes it for its own purposes. Close it with
 * `memlane_close()`.
 */
memlane_status memlane_lock_of(const void *handle, struct memlane_lock **lock);

/**
 * Opens the space in `directory`, which is made when missing; NULL is the user's own: `$MEMLANE_DIR`, else
 * `/dev/shm/memlane-<uid>`. `options` may be NULL. Functions that take a space take NULL for the user's own as well.
 * Close it with `memlane_close()`; regions stay open.
 */
memlane_status memlane_space_open(const char *directory,
                                  const struct memlane_space_options *options,
                                  struct memlane_space **space);

/**
 * Calls `each` with the id of every region, sorted. The text is good during the call only.
 */
memlane_status memlane_space_list(const struct memlane_space *space,
                                  void (*each)(const char *id, void *context),
                                  void *context);

/**
 * Whether there is a region of this id.
 */
memlane_status memlane_space_contains(const struct memlane_space *space, const char *id, bool *contains);

/**
 * Waits until there is a region of this id: for programs that start before its maker.
 */
memlane_status memlane_space_wait_for(const struct memlane_space *space, const char *id, int64_t timeout);

/**
 * Removes a region's name; whoever has it open goes on.
 */
memlane_status memlane_space_remove(const struct memlane_space *space, const char *id);

/**
 * Copies the directory's path, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL,
 * also after MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough.
 */
memlane_status memlane_space_directory(const struct memlane_space *space,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length);

/**
 * Opens the array `id`, or makes it, all zero. `schema` says what it is: `[6]<f4`, `[480,640]|u1`. It may be NULL
 * with MEMLANE_OPEN.
 */
memlane_status memlane_array_open(const struct memlane_space *space,
                                  const char *id,
                                  memlane_opening opening,
                                  const char *schema,
                                  struct memlane_array **array);

/**
 * How many elements there are, and the bytes of each.
 */
memlane_status memlane_array_shape(const struct memlane_array *array, size_t *count, size_t *item_size);

/**
 * Copies elements from `start` on into a buffer of `size` bytes, as many as that is; MEMLANE_SHORT_BUFFER when the
 * last one of them does not fit. Each part of up to 8 bytes is whole; several belong together while you hold
 * `memlane_lock_of()` the array.
 */
memlane_status memlane_array_read(const struct memlane_array *array, size_t start, void *buffer, size_t size);

/**
 * Sets elements from `start` on to `size` bytes, and wakes who waits for newer ones.
 */
memlane_status memlane_array_write(const struct memlane_array *array, size_t start, const void *from, size_t size);

/**
 * Where the first element lies; the others follow in C order. Others may write at any instant: use atomics, or hold
 * the region's lock. Good until the handle is closed.
 */
memlane_status memlane_array_data(const struct memlane_array *array, void **data);

/**
 * Wakes who waits for newer elements: for who wrote through the pointer.
 */
memlane_status memlane_array_changed(const struct memlane_array *array);

/**
 * Waits for a version (`memlane_version()`) other than `*version`, which becomes the new one.
 */
memlane_status memlane_array_wait_newer(const struct memlane_array *array, uint64_t *version, int64_t timeout);

/**
 * Opens the barrier `id`, or makes it for so many parties.
 */
memlane_status memlane_barrier_open(const struct memlane_space *space,
                                    const char *id,
                                    memlane_opening opening,
                                    uint32_t parties,
                                    struct memlane_barrier **barrier);

/**
 * Waits for all parties. `index` (NULL: not wanted) is a number of its own for each of them, from 0.
 * MEMLANE_BROKEN_BARRIER when one died, gave up or called `memlane_barrier_abort`; MEMLANE_TIMEOUT breaks it.
 */
memlane_status memlane_barrier_wait(const struct memlane_barrier *barrier, int64_t timeout, uint32_t *index);

/**
 * Breaks it, for all.
 */
memlane_status memlane_barrier_abort(const struct memlane_barrier *barrier);

/**
 * Makes it whole again; whoever waits finds it broken.
 */
memlane_status memlane_barrier_reset(const struct memlane_barrier *barrier);

/**
 * How many wait, and whether it is broken. Either may be NULL.
 */
memlane_status memlane_barrier_state(const struct memlane_barrier *barrier, uint32_t *waiting, bool *broken);

/**
 * Opens the condition `id`, or makes it, for so many threads at once (1 to 65536). One that exists is opened
 * whatever it was made for.
 */
memlane_status memlane_condition_open(const struct memlane_space *space,
                                      const char *id,
                                      memlane_opening opening,
                                      uint32_t threads,
                                      struct memlane_condition **condition);

/**
 * Gives `lock` back, waits until notified, and takes it again, however long that takes. `lock` is a memlane_lock or
 * a memlane_rlock that this thread holds. MEMLANE_TIMEOUT and MEMLANE_INTERRUPTED: the lock is held again too.
 * MEMLANE_OWNER_DIED: notified, and somebody died holding the lock meanwhile.
 */
memlane_status memlane_condition_wait(const struct memlane_condition *condition, const void *lock, int64_t timeout);

/**
 * Lets those `count` go who wait longest; SIZE_MAX lets all go. `notified` (NULL: not wanted) is how many there
 * were.
 */
memlane_status memlane_condition_notify(const struct memlane_condition *condition, size_t count, size_t *notified);

/**
 * Opens the event `id`, or makes it, clear. With MEMLANE_OPEN, `auto_reset` is not looked at.
 */
memlane_status memlane_event_open(const struct memlane_space *space,
                                  const char *id,
                                  memlane_opening opening,
                                  bool auto_reset,
                                  struct memlane_event **event);

/**
 * Sets it: all who wait go, or one of an event with automatic reset.
 */
memlane_status memlane_event_set(const struct memlane_event *event);

/**
 * Clears it; `was_set` (NULL: not wanted) says whether it was set.
 */
memlane_status memlane_event_clear(const struct memlane_event *event, bool *was_set);

/**
 * Whether it is set.
 */
memlane_status memlane_event_is_set(const struct memlane_event *event, bool *is_set);

/**
 * Waits until it is set; one with automatic reset is cleared by that.
 */
memlane_status memlane_event_wait(const struct memlane_event *event, int64_t timeout);

/**
 * Opens the channel `id`, or makes it, and becomes its publisher. MEMLANE_PUBLISHER_EXISTS when somebody living
 * publishes there. `options` may be NULL with MEMLANE_OPEN.
 */
memlane_status memlane_frame_publisher_open(const struct memlane_space *space,
                                            const char *id,
                                            memlane_opening opening,
                                            const struct memlane_frame_options *options,
                                            struct memlane_frame_publisher **publisher);

/**
 * Lends a frame to write in place; one at a time: MEMLANE_ON_LOAN until it is published or discarded. Good until
 * then, or until the publisher is closed. After an error `loan->data` is NULL. No system call, no allocation.
 */
memlane_status memlane_frame_publisher_loan(const struct memlane_frame_publisher *publisher, struct memlane_loan *loan);

/**
 * Makes the frame on loan visible, captured now. `sequence` (NULL: not wanted) is its number. MEMLANE_NO_LOAN when
 * there is none. No system call unless somebody sleeps.
 */
memlane_status memlane_frame_publisher_publish(const struct memlane_frame_publisher *publisher, uint64_t *sequence);

/**
 * `memlane_frame_publisher_publish` with what a camera knows: `captured`, when, in nanoseconds since the Unix epoch
 * (0: now), and `size`, how many bytes the frame has where they vary in length (SIZE_MAX: all). After an error the
 * frame is still on loan.
 */
memlane_status memlane_frame_publisher_publish_captured(const struct memlane_frame_publisher *publisher,
                                                        uint64_t captured,
                                                        size_t size,
                                                        uint64_t *sequence);

/**
 * Gives the frame on loan back unseen; nothing when there is none.
 */
memlane_status memlane_frame_publisher_discard(const struct memlane_frame_publisher *publisher);

/**
 * Subscribes to the channel `id`, which must exist (`memlane_space_wait_for()` waits for it), from the next frame
 * on. `options` may be NULL. MEMLANE_SUBSCRIBERS_EXHAUSTED when all borrows are claimed by living subscribers.
 */
memlane_status memlane_frame_subscriber_open(const struct memlane_space *space,
                                             const char *id,
                                             const struct memlane_subscriber_options *options,
                                             struct memlane_frame_subscriber **subscriber);

/**
 * The oldest frame on offer that is newer than the last one returned; waits for one. Read it where it lies, and give
 * it back with `memlane_frame_release()`. MEMLANE_BORROWS_EXHAUSTED when this subscriber holds as many frames as it
 * may. After an error `frame` is none, whatever it was: give back first what it holds. No allocation.
 */
memlane_status memlane_frame_subscriber_next(const struct memlane_frame_subscriber *subscriber,
                                             int64_t timeout,
                                             struct memlane_frame *frame);

/**
 * The newest frame, whether it was returned before or not; MEMLANE_EMPTY when there never was one. Give it back with
 * `memlane_frame_release()`. After an error `frame` is none.
 */
memlane_status memlane_frame_subscriber_latest(const struct memlane_frame_subscriber *subscriber,
                                               struct memlane_frame *frame);

/**
 * How many frames were passed over: published since this subscriber came, and not returned before a newer one was.
 */
memlane_status memlane_frame_subscriber_missed(const struct memlane_frame_subscriber *subscriber, uint64_t *missed);

/**
 * Gives a frame back; any thread may, also when its subscriber is closed. Its pointer is cleared, so that a second
 * call is MEMLANE_BAD_ARGUMENT, as it is of a frame that was not had; a copy of the structure is not to be given back
 * again.
 */
memlane_status memlane_frame_release(struct memlane_frame *frame);

/**
 * Opens the lock `id`, or makes it.
 */
memlane_status memlane_lock_open(const struct memlane_space *space,
                                 const char *id,
                                 memlane_opening opening,
                                 struct memlane_lock **lock);

/**
 * Takes the lock for this thread. MEMLANE_OWNER_DIED, as EOWNERDEAD of pthread_mutex_lock(): it was taken, and the
 * last owner died or abandoned it. MEMLANE_TIMEOUT, with the owner in the message: it was not.
 * MEMLANE_WOULD_DEADLOCK when this thread has it.
 */
memlane_status memlane_lock_acquire(const struct memlane_lock *lock, int64_t timeout);

/**
 * Gives the lock back; MEMLANE_NOT_OWNER when this thread does not hold it.
 */
memlane_status memlane_lock_release(const struct memlane_lock *lock);

/**
 * Says that what the lock protects is whole again; to be called by its holder.
 */
memlane_status memlane_lock_make_consistent(const struct memlane_lock *lock);

/**
 * Gives the lock back and says that what it protects is half-changed: the next owner is told as if this one had
 * died.
 */
memlane_status memlane_lock_abandon(const struct memlane_lock *lock);

/**
 * Whether an owner died or abandoned it and nobody has put the data right since.
 */
memlane_status memlane_lock_is_inconsistent(const struct memlane_lock *lock, bool *inconsistent);

/**
 * Who holds the lock; MEMLANE_EMPTY when nobody does.
 */
memlane_status memlane_lock_holder(const struct memlane_lock *lock, struct memlane_holder *holder);

/**
 * Opens the rlock `id`, or makes it.
 */
memlane_status memlane_rlock_open(const struct memlane_space *space,
                                  const char *id,
                                  memlane_opening opening,
                                  struct memlane_rlock **rlock);

/**
 * Takes the lock for this thread, once more when it has it; otherwise as `memlane_lock_acquire`.
 */
memlane_status memlane_rlock_acquire(const struct memlane_rlock *rlock, int64_t timeout);

/**
 * Gives the lock back once; MEMLANE_NOT_OWNER when this thread does not hold it.
 */
memlane_status memlane_rlock_release(const struct memlane_rlock *rlock);

/**
 * Says that what the lock protects is whole again; to be called by its holder.
 */
memlane_status memlane_rlock_make_consistent(const struct memlane_rlock *rlock);

/**
 * Gives the lock back, however often it is held, and says that what it protects is half-changed.
 */
memlane_status memlane_rlock_abandon(const struct memlane_rlock *rlock);

/**
 * Who holds the lock; MEMLANE_EMPTY when nobody does.
 */
memlane_status memlane_rlock_holder(const struct memlane_rlock *rlock, struct memlane_holder *holder);

/**
 * Opens the pipe `id`, or makes it, and takes an end of it; MEMLANE_END_TAKEN when somebody living has it. `options`
 * may be NULL. With MEMLANE_OPEN they are not looked at.
 */
memlane_status memlane_pipe_end_open(const struct memlane_space *space,
                                     const char *id,
                                     memlane_opening opening,
                                     memlane_side side,
                                     const struct memlane_pipe_options *options,
                                     struct memlane_pipe_end **end);

/**
 * Sends a message of `size` bytes; waits for room. MEMLANE_BROKEN_PIPE when the other end is gone.
 */
memlane_status memlane_pipe_end_send(const struct memlane_pipe_end *end,
                                     memlane_tag tag,
                                     const void *message,
                                     size_t size,
                                     int64_t timeout);

/**
 * Receives the next message into a buffer; waits for one. `size` is how long it is; MEMLANE_SHORT_BUFFER when it is
 * longer than the buffer, and then the next call gets it. `tag` may be NULL. MEMLANE_END_OF_PIPE when the other end
 * is gone and everything it sent was received.
 */
memlane_status memlane_pipe_end_receive(const struct memlane_pipe_end *end,
                                        void *buffer,
                                        size_t capacity,
                                        size_t *size,
                                        memlane_tag *tag,
                                        int64_t timeout);

/**
 * Waits until receiving would not wait: there is a message, or never will be one. MEMLANE_TIMEOUT when time is up.
 */
memlane_status memlane_pipe_end_poll(const struct memlane_pipe_end *end, int64_t timeout);

/**
 * Opens the queue `id`, or makes it. `options` may be NULL. With MEMLANE_OPEN they are not looked at.
 */
memlane_status memlane_queue_open(const struct memlane_space *space,
                                  const char *id,
                                  memlane_opening opening,
                                  const struct memlane_queue_options *options,
                                  struct memlane_queue **queue);

/**
 * Puts a message of `size` bytes; waits for room. It is done when it returns. MEMLANE_TOO_LARGE when there never
 * will be room enough, MEMLANE_CLOSED when the queue is closed.
 */
memlane_status memlane_queue_put(const struct memlane_queue *queue,
                                 memlane_tag tag,
                                 const void *message,
                                 size_t size,
                                 int64_t timeout);

/**
 * Takes the oldest message into a buffer; waits for one. `size` is how long it is; MEMLANE_SHORT_BUFFER when it is
 * longer than the buffer, and then it stays. Where messages are acknowledged, this acknowledges at once. `tag` may
 * be NULL. MEMLANE_CLOSED when the queue is closed and there is none left.
 */
memlane_status memlane_queue_get(const struct memlane_queue *queue,
                                 void *buffer,
                                 size_t capacity,
                                 size_t *size,
                                 memlane_tag *tag,
                                 int64_t timeout);

/**
 * Nothing can be put from now on; what is in it can be taken still. For all, and for good; to close this handle
 * alone is `memlane_close()`.
 */
memlane_status memlane_queue_shut_down(const struct memlane_queue *queue);

/**
 * Messages in it, the bytes of the longest one that it takes, and whether it was shut down. Each may be NULL.
 */
memlane_status memlane_queue_state(const struct memlane_queue *queue,
                                   size_t *length,
                                   size_t *capacity,
                                   bool *shut_down);

/**
 * Takes the next message to be acknowledged; waits for one. Only where the queue was made so. It is handed out again
 * when this process dies, or when the lease is closed unacknowledged. End it with `memlane_lease_acknowledge()`, or
 * give the message back with `memlane_close()`.
 */
memlane_status memlane_queue_lease(const struct memlane_queue *queue, int64_t timeout, struct memlane_lease **lease);

/**
 * The message of a lease, where it lies: good until the lease ends. `tag` and `redelivered`, how often it was handed
 * out before, may be NULL.
 */
memlane_status memlane_lease_message(const struct memlane_lease *lease,
                                     const void **data,
                                     size_t *size,
                                     memlane_tag *tag,
                                     uint32_t *redelivered);

/**
 * Done with it: the message will not be handed out again. Closes the lease, whatever it returns.
 */
memlane_status memlane_lease_acknowledge(struct memlane_lease *lease);

/**
 * Room for a message of `size` bytes, to be written where it will lie; waits for it. Until it is sent or given up
 * nobody else can put anything: fill it at once. It belongs to this thread. End it with
 * `memlane_reservation_commit()`, or give it up with `memlane_close()`.
 */
memlane_status memlane_queue_reserve(const struct memlane_queue *queue,
                                     size_t size,
                                     int64_t timeout,
                                     struct memlane_reservation **reservation,
                                     void **data);

/**
 * Sends the message, its first `size` bytes. MEMLANE_TOO_LARGE when so many were not reserved: nothing is sent then.
 * Closes the reservation, whatever it returns, except MEMLANE_NOT_OWNER: that it is another thread's.
 */
memlane_status memlane_reservation_commit(struct memlane_reservation *reservation, memlane_tag tag, size_t size);

/**
 * Opens the bytes `id`, which must be `size`, or makes them, all zero. With MEMLANE_OPEN, `size` is not looked at.
 */
memlane_status memlane_raw_open(const struct memlane_space *space,
                                const char *id,
                                memlane_opening opening,
                                size_t size,
                                struct memlane_raw **raw);

/**
 * Where the bytes lie, at the beginning of a page, and how many there are. Others may write at any instant: use
 * atomics, or hold the region's lock. Good until the handle is closed.
 */
memlane_status memlane_raw_data(const struct memlane_raw *raw, void **data, size_t *size);

/**
 * Copies `size` bytes from `offset` on into a buffer. Somebody may write meanwhile, and then some are the old ones.
 */
memlane_status memlane_raw_read(const struct memlane_raw *raw, size_t offset, void *buffer, size_t size);

/**
 * Writes `size` bytes from `offset` on, and wakes who waits for newer ones.
 */
memlane_status memlane_raw_write(const struct memlane_raw *raw, size_t offset, const void *from, size_t size);

/**
 * Wakes who waits for newer bytes: for who wrote through the pointer.
 */
memlane_status memlane_raw_changed(const struct memlane_raw *raw);

/**
 * Waits for a version (`memlane_version()`) other than `*version`, which becomes the new one.
 */
memlane_status memlane_raw_wait_newer(const struct memlane_raw *raw, uint64_t *version, int64_t timeout);

/**
 * Opens the record `id`, or makes it, all zero. `schema` says what its bytes are: `{x:<f8,count@8:<u4;16}`, with the
 * offset of each field behind an @ where there is padding, and the size behind a semicolon. It may be NULL with
 * MEMLANE_OPEN.
 */
memlane_status memlane_record_open(const struct memlane_space *space,
                                   const char *id,
                                   memlane_opening opening,
                                   const char *schema,
                                   struct memlane_record **record);

/**
 * Bytes of the record.
 */
memlane_status memlane_record_size(const struct memlane_record *record, size_t *size);

/**
 * Copies the record into a buffer, whose size `memlane_record_size()` says; `version` (NULL: not wanted) is what
 * `memlane_record_write_if` compares.
 */
memlane_status memlane_record_read(const struct memlane_record *record,
                                   void *buffer,
                                   size_t capacity,
                                   uint64_t *version);

/**
 * Replaces the record by `size` bytes, which must be as many as it has. `version` (NULL: not wanted) is the new one.
 */
memlane_status memlane_record_write(const struct memlane_record *record,
                                    const void *from,
                                    size_t size,
                                    uint64_t *version);

/**
 * Replaces the record if its version is still `*version`, which becomes the new one; else MEMLANE_CONFLICT, and
 * `*version` is what stands: read again.
 */
memlane_status memlane_record_write_if(const struct memlane_record *record,
                                       const void *from,
                                       size_t size,
                                       uint64_t *version);

/**
 * Waits for a version other than `*version`, which becomes the new one.
 */
memlane_status memlane_record_wait_newer(const struct memlane_record *record, uint64_t *version, int64_t timeout);

/**
 * Opens the rwlock `id`, or makes it.
 */
memlane_status memlane_rwlock_open(const struct memlane_space *space,
                                   const char *id,
                                   memlane_opening opening,
                                   struct memlane_rwlock **rwlock);

/**
 * Takes it for reading. MEMLANE_OWNER_DIED: it was taken, and a writer died before the data was put right.
 */
memlane_status memlane_rwlock_acquire_read(const struct memlane_rwlock *rwlock, int64_t timeout);

/**
 * Gives back what was taken for reading.
 */
memlane_status memlane_rwlock_release_read(const struct memlane_rwlock *rwlock);

/**
 * Takes it for writing; otherwise as `memlane_lock_acquire`.
 */
memlane_status memlane_rwlock_acquire_write(const struct memlane_rwlock *rwlock, int64_t timeout);

/**
 * Gives back what was taken for writing.
 */
memlane_status memlane_rwlock_release_write(const struct memlane_rwlock *rwlock);

/**
 * Says that the data is whole again; to be called by the writer.
 */
memlane_status memlane_rwlock_make_consistent(const struct memlane_rwlock *rwlock);

/**
 * Opens the semaphore `id`, or makes it with so many permits.
 */
memlane_status memlane_semaphore_open(const struct memlane_space *space,
                                      const char *id,
                                      memlane_opening opening,
                                      uint32_t permits,
                                      struct memlane_semaphore **semaphore);

/**
 * Takes `count` permits at once; waits for them. MEMLANE_TIMEOUT, with the holders in the message.
 */
memlane_status memlane_semaphore_acquire(const struct memlane_semaphore *semaphore, uint32_t count, int64_t timeout);

/**
 * Gives `count` permits back; MEMLANE_NOT_OWNER when this process does not hold so many.
 */
memlane_status memlane_semaphore_release(const struct memlane_semaphore *semaphore, uint32_t count);

/**
 * How many permits nobody living holds, and (NULL: not wanted) how many there are in all.
 */
memlane_status memlane_semaphore_free(const struct memlane_semaphore *semaphore, uint32_t *free, uint32_t *total);

/**
 * Opens the signal semaphore `id`, or makes it, standing at `initial`, never above `maximum` (UINT32_MAX: no bound).
 */
memlane_status memlane_signal_semaphore_open(const struct memlane_space *space,
                                             const char *id,
                                             memlane_opening opening,
                                             uint32_t initial,
                                             uint32_t maximum,
                                             struct memlane_signal_semaphore **semaphore);

/**
 * Takes one token; waits for it.
 */
memlane_status memlane_signal_semaphore_acquire(const struct memlane_signal_semaphore *semaphore, int64_t timeout);

/**
 * Adds `count` tokens; MEMLANE_OVERFLOW when that is more than the bound.
 */
memlane_status memlane_signal_semaphore_release(const struct memlane_signal_semaphore *semaphore, uint32_t count);

/**
 * How many tokens there are.
 */
memlane_status memlane_signal_semaphore_value(const struct memlane_signal_semaphore *semaphore, uint32_t *value);

/**
 * Opens the stream `id`, or makes it, and becomes its publisher. MEMLANE_PUBLISHER_EXISTS when somebody living
 * publishes there. `options` may be NULL with MEMLANE_OPEN.
 */
memlane_status memlane_stream_publisher_open(const struct memlane_space *space,
                                             const char *id,
                                             memlane_opening opening,
                                             const struct memlane_stream_options *options,
                                             struct memlane_stream_publisher **publisher);

/**
 * Publishes records that lie one behind the other, `size` bytes in all, as one change as long as an eighth of the
 * ring is enough. `sequence` (NULL: not wanted) is the number of the first, from 0. No system call unless somebody
 * sleeps, or a lossless stream is full.
 */
memlane_status memlane_stream_publisher_append(const struct memlane_stream_publisher *publisher,
                                               const void *records,
                                               size_t size,
                                               uint64_t *sequence);

/**
 * Subscribes to the stream `id`, which must exist, from the next record on, or from up to `history` records before
 * that.
 */
memlane_status memlane_stream_subscriber_open(const struct memlane_space *space,
                                              const char *id,
                                              uint64_t history,
                                              uint64_t spin,
                                              struct memlane_stream_subscriber **subscriber);

/**
 * The next record, into a buffer of its size, which `memlane_stream_subscriber_state()` says; waits for one.
 * MEMLANE_SHORT_BUFFER when the buffer is shorter, MEMLANE_TOO_LARGE when it is longer: that is another type.
 * `sequence` (NULL: not wanted) is its number.
 */
memlane_status memlane_stream_subscriber_next(const struct memlane_stream_subscriber *subscriber,
                                              void *buffer,
                                              size_t size,
                                              uint64_t *sequence,
                                              int64_t timeout);

/**
 * Up to as many records as fit a buffer of `capacity` bytes, as many as there are; waits for one when there is none.
 * MEMLANE_SHORT_BUFFER when not even one fits.
 * `count` is how many, `sequence` (NULL: not wanted) the number of the first.
 */
memlane_status memlane_stream_subscriber_next_many(const struct memlane_stream_subscriber *subscriber,
                                                   void *buffer,
                                                   size_t capacity,
                                                   size_t *count,
                                                   uint64_t *sequence,
                                                   int64_t timeout);

/**
 * The newest records, oldest first, as many as fit a buffer of `capacity` bytes and there are. Does not move the
 * subscriber's place. `count` is how many, `sequence` (NULL: not wanted) the number of the first. MEMLANE_EMPTY when
 * there never was one, MEMLANE_SHORT_BUFFER when not even one fits.
 */
memlane_status memlane_stream_subscriber_last(const struct memlane_stream_subscriber *subscriber,
                                              void *buffer,
                                              size_t capacity,
                                              size_t *count,
                                              uint64_t *sequence);

/**
 * How many records were overwritten before this subscriber had read them, how many were ever published, and the
 * bytes of a record. Each may be NULL.
 */
memlane_status memlane_stream_subscriber_state(const struct memlane_stream_subscriber *subscriber,
                                               uint64_t *lost,
                                               uint64_t *published,
                                               size_t *record_size);

/**
 * Opens the text `id`, or makes it, empty, with room for `capacity` bytes of UTF-8.
 */
memlane_status memlane_text_open(const struct memlane_space *space,
                                 const char *id,
                                 memlane_opening opening,
                                 size_t capacity,
                                 struct memlane_text **text);

/**
 * The most bytes that it holds: a buffer of one more always is enough.
 */
memlane_status memlane_text_capacity(const struct memlane_text *text, size_t *capacity);

/**
 * Copies the text, with a NUL at its end, into a buffer. `length` (NULL: not wanted) is without the NUL, also after
 * MEMLANE_SHORT_BUFFER: a buffer of one byte more is long enough. `version` (NULL: not wanted) is what
 * `memlane_text_write_if` compares.
 */
memlane_status memlane_text_read(const struct memlane_text *text,
                                 char *buffer,
                                 size_t capacity,
                                 size_t *length,
                                 uint64_t *version);

/**
 * Replaces the text by `length` bytes of UTF-8. `version` (NULL: not wanted) is the new one.
 */
memlane_status memlane_text_write(const struct memlane_text *text, const char *from, size_t length, uint64_t *version);

/**
 * Replaces the text if its version is still `*version`, which becomes the new one; else MEMLANE_CONFLICT, and
 * `*version` is what stands: read again.
 */
memlane_status memlane_text_write_if(const struct memlane_text *text,
                                     const char *from,
                                     size_t length,
                                     uint64_t *version);

/**
 * Waits for a version other than `*version`, which becomes the new one.
 */
memlane_status memlane_text_wait_newer(const struct memlane_text *text, uint64_t *version, int64_t timeout);

/**
 * Opens the value `id` of a type, or makes it with the scalar at `initial` (NULL: zero).
 */
memlane_status memlane_value_open(const struct memlane_space *space,
                                  const char *id,
                                  memlane_opening opening,
                                  memlane_scalar scalar,
                                  const void *initial,
                                  struct memlane_value **value);

/**
 * Copies the value to `to`, a variable of its type and of `size` bytes; MEMLANE_SHORT_BUFFER when these are too few.
 */
memlane_status memlane_value_load(const struct memlane_value *value, void *to, size_t size);

/**
 * Sets the value to what stands at `from`, and wakes who waits for a newer one.
 */
memlane_status memlane_value_store(const struct memlane_value *value, const void *from, size_t size);

/**
 * Sets the value to what stands at `desired` if it is what stands at `expected`, bit for bit; else MEMLANE_CONFLICT,
 * and `expected` is what it is.
 */
memlane_status memlane_value_compare_exchange(const struct memlane_value *value,
                                              void *expected,
                                              const void *desired,
                                              size_t size);

/**
 * Adds what stands at `summand`, as one step; the sum goes to `sum` (NULL: not wanted). Integers wrap at their
 * width. MEMLANE_BAD_ARGUMENT for a bool.
 */
memlane_status memlane_value_add(const struct memlane_value *value, const void *summand, void *sum, size_t size);

/**
 * Copies the value to `to`, with a version to wait from.
 */
memlane_status memlane_value_read(const struct memlane_value *value, void *to, size_t size, uint64_t *version);

/**
 * Waits until the value or its version differs from what `memlane_value_read` gave: the value at `seen` and
 * `*version`, both of which become the new ones.
 */
memlane_status memlane_value_wait_newer(const struct memlane_value *value,
                                        void *seen,
                                        size_t size,
                                        uint64_t *version,
                                        int64_t timeout);

/**
 * Waits until at least one of `count` things is ready, as poll() does for files, and says which. Nothing is taken:
 * somebody else may be faster, so take it with a timeout of 0. Up to 127 things.
 */
memlane_status memlane_wait_any(struct memlane_wait_item *items, size_t count, int64_t timeout);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MEMLANE_H */

/* Initialisers of the options. */
#define MEMLANE_SPACE_DEFAULTS { 64, 0600, NULL, false, false }
#define MEMLANE_QUEUE_DEFAULTS { 16777216, 0, false }
#define MEMLANE_PIPE_DEFAULTS { 1048576, false }
#define MEMLANE_FRAME_DEFAULTS { NULL, NULL, 0, 2, 8 }
#define MEMLANE_SUBSCRIBER_DEFAULTS { 2, 0, 0, false }
#define MEMLANE_STREAM_DEFAULTS { NULL, 1024, 0, MEMLANE_FOREVER }
