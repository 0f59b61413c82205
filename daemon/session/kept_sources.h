/*
 * The texts of sources as they were when the session first met them: after an edit, nothing else
 * says what the program was built from.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kept_source {
    uint32_t file;
    size_t bytes, packed_bytes;
    void *packed; /* owned; a zstd frame */
};

struct kept_sources {
    pthread_mutex_t mutex;     /* guards items and count */
    struct kept_source *items; /* owned; ascending files */
    size_t count, capacity;
    uint32_t next;       /* of the symbol thread: the first file that was not looked at */
    size_t kept_bytes;   /* of the symbol thread: memory held */
    size_t looked_at;    /* of the symbol thread: files that were opened */
    uint64_t read_bytes; /* of the symbol thread: what was read of them */
};

void kept_sources_init(struct kept_sources *kept);
void kept_sources_destroy(struct kept_sources *kept);

struct session;

/*
 * Keeps the texts of files that symbols have named since the last call, in the order in which they
 * were: a few of them, or if `all` every one. Up to some megabytes, and thousands of files; what
 * cannot be read, or is not what the program was built from, is left out. Only for the symbol
 * thread.
 */
void session_keep_sources(struct session *session, bool all);
