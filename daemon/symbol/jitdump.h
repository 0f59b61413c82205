/* Code that a run-time compiler tells of in a jitdump file: names, lines, and since when. */
#pragma once

#include <stdbool.h>

#include "base/strings.h"
#include "symbol/range_map.h"

/* What is worth telling people about a dump, as bits. */
enum jitdump_problem {
    JITDUMP_FOREIGN = 1,   /* no jitdump that this machine can read */
    JITDUMP_DAMAGED = 2,   /* what follows a broken record is not read; broken lines are left out */
    JITDUMP_TOO_LARGE = 4, /* beyond a limit the rest is not read */
};

/* Machine code at [start, start + bytes) since `time`. */
struct jit_code {
    uint64_t start, bytes;
    uint64_t time;  /* in the dump's own clock */
    uint64_t index; /* unique in its file */
    uint32_t name;  /* id in names */
    uint32_t first_line, line_count;
};

struct jit_line {
    uint32_t offset; /* in the code, as the file says */
    uint32_t line, column;
    uint32_t file; /* id in names; 0 unknown */
};

/*
 * A file after Linux, tools/perf/Documentation/jitdump-specification.txt. It grows while the target
 * runs, and may be anything: records are read once they are whole, up to limits.
 */
struct jitdump {
    int fd; /* borrowed */
    uint64_t offset, file_bytes;
    unsigned problems; /* enum jitdump_problem */
    bool has_header, is_over;
    bool by_counter; /* its times are the processor's counter, not CLOCK_MONOTONIC in ns */
    uint64_t counter, counter_ns; /* a pair of readings, when the dump was opened */
    double counts_per_ns;         /* 0 while not known */

    unsigned char *window; /* owned: bytes of the file from window_start */
    uint64_t window_start;
    size_t window_bytes, window_capacity;
    uint64_t read_bytes, records; /* so far, against a file without end */

    unsigned char *debug; /* owned: the record of lines that comes before its code */
    size_t debug_bytes, debug_capacity;

    struct jit_code *codes; /* owned, in the file's order */
    size_t code_count, code_capacity;
    struct jit_line *lines; /* owned; those of one code are sorted */
    size_t line_count, line_capacity;
    uint32_t least_offset; /* of all lines */
    struct string_table names;

    struct range_map latest; /* to codes, what came last */
    uint32_t *by_start;      /* owned: codes sorted by start */
    uint64_t *reach;         /* owned: how far by_start[0..i] reaches */
    size_t sorted_count;
};

struct jit_place {
    const char *name; /* borrowed from the dump */
    const char *file; /* the same; NULL unknown */
    uint32_t line, column;
    bool was_replaced; /* other code came to this address later */
};

/* `fd` must stay open as long as the dump is used. */
void jitdump_init(struct jitdump *dump, int fd);

/* Reads what is new. *ret_changed tells whether places may differ from before. 0 or -ENOMEM. */
int jitdump_refresh(struct jitdump *dump, bool *ret_changed);

/*
 * What was at a run-time address at `time_ns` (CLOCK_MONOTONIC): the code that came last before, or
 * the first that came after when nothing did. False when there never was any.
 */
bool jitdump_find(const struct jitdump *dump, uint64_t ip, uint64_t time_ns,
                  struct jit_place *ret_place);

size_t jitdump_bytes(const struct jitdump *dump);
void jitdump_free(struct jitdump *dump);
