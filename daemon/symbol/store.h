/* What is published: frames, functions and files. One thread writes, many read. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/index.h"
#include "base/md5.h"
#include "base/strings.h"
#include "lprofd/symbols.h"

#define FRAMES_PER_LOCATION_MAX SYMBOL_FRAMES_MAX

/* Of a function or a directory: what is longer ends there with an ellipsis. */
#define STORED_NAME_BYTES_MAX 8192

struct stored_function {
    uint32_t name; /* id in strings */
    uint32_t module, file, line;
};

struct stored_file {
    uint32_t path, named, directory; /* ids in strings */
    uint32_t module;
    enum { FILE_MD5_UNKNOWN, FILE_MD5_KNOWN, FILE_MD5_DISPUTED } md5_state;
    unsigned char md5[MD5_BYTES];
};

/* The frames of one location: frames[first .. first + count). */
struct stored_location {
    uint32_t first;
    uint16_t count;
    uint8_t status; /* enum symbol_status */
};

/* Every member but the lock is written under the lock, by one thread. All arrays are owned. */
struct store {
    pthread_rwlock_t lock;
    struct string_table strings;
    struct stored_function *functions;
    size_t function_count, function_capacity;
    struct index function_index;
    struct stored_file *files;
    size_t file_count, file_capacity;
    struct index file_index;
    struct stored_location *locations;
    size_t location_count, location_capacity;
    struct frame *frames;
    size_t frame_count, frame_capacity;
    uint64_t generation;
    _Atomic(size_t) bytes; /* of all that; may be read without the lock */
};

/* 0 or -ENOMEM. */
int store_init(struct store *store);
void store_free(struct store *store);

/* Finds or adds a function; equal (name, module, file, line) have equal ids. 0 or -ENOMEM. */
int store_add_function(struct store *store, const char *name, uint32_t module, uint32_t file,
                       uint32_t line, uint32_t *ret_id);

/*
 * Finds or adds a file. Absolute paths are one file whoever names them; equal relative paths are
 * one file only below the same directory. `md5` is the sum of its text, or NULL; when two units
 * disagree, it is not known. 0 or -ENOMEM.
 */
int store_add_file(struct store *store, const char *path, const char *directory, uint32_t module,
                   const unsigned char *md5, uint32_t *ret_id);

/*
 * The same of a path with its "..", of path_append(): it is known by path_normalise(), whoever
 * names it, and opened as the first one named it. The latter alone says what the compiler read.
 */
int store_add_named_file(struct store *store, const char *named, const char *directory,
                         uint32_t module, const unsigned char *md5, uint32_t *ret_id);

/* Replaces what is known of a location. At most FRAMES_PER_LOCATION_MAX. 0 or -ENOMEM. */
int store_publish(struct store *store, uint32_t location, const struct frame *frames, size_t count,
                  enum symbol_status status);

/* Changes the status of a location that has frames already. 0 or -ENOMEM. */
int store_set_status(struct store *store, uint32_t location, enum symbol_status status);

/* Needs no lock. */
size_t store_bytes(const struct store *store);
