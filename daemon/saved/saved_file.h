/* The file of a saved profile: replaced as a whole, or left as it was. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/*
 * Whether saved_file_write() to this path can work, as far as that can be known before: the folder
 * can be written to and has room, and what is there already is a file. 0 or -errno; *ret_failure
 * says why.
 */
int saved_file_check(const char *path, struct failure *ret_failure);

/*
 * Writes a new file, which only its owner may read, beside `path` and puts it in its place once it
 * is safe on disk: whatever fails, what was there stays. 0 or -errno; *ret_failure says why.
 */
int saved_file_write(const char *path, const void *bytes, size_t length,
                     struct failure *ret_failure);

/*
 * Reads a whole regular file of at most `limit_bytes`: malloc'ed. 0 or -errno; *ret_failure says
 * why.
 */
int saved_file_read(const char *path, uint64_t limit_bytes, unsigned char **ret_bytes,
                    size_t *ret_length, struct failure *ret_failure);
