/*
 * What was made of debug information, kept on disk for the next time: each piece is a file of its
 * own, found by a text that says what it was made of.
 *
 * Files are read with pread into our own memory and checked there. Mapped ones could be truncated
 * under us (SIGBUS) or changed after they were checked, and pieces are too small for a mapping to
 * gain anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raise it when the layout of files changes, or what is in them. */
#define DISK_CACHE_FORMAT 2

#define DISK_CACHE_BYTES_MAX (UINT64_C(512) << 20)
#define DISK_CACHE_PIECE_BYTES_MAX ((size_t)31 << 20)

/* One thread's. Several processes may use the same directory. */
struct disk_cache {
    char *path;       /* owned; absolute */
    int directory_fd; /* owned; -1 while it is not open */
    uint64_t bytes_max;
    uint64_t unscanned_bytes; /* written since the directory was last looked through */
    bool is_scanned;
    int error; /* why it is not used any more; 0 while it is */
};

/* Opens nothing yet. 0 or -ENOMEM. */
int disk_cache_new(const char *path, uint64_t bytes_max, struct disk_cache **ret_cache);
void disk_cache_free(struct disk_cache *cache);

/*
 * The piece of that identity; the caller frees it. -ENOENT when there is none, or only a damaged
 * one, or one that somebody else may have written; -ENOMEM.
 */
int disk_cache_read(struct disk_cache *cache, const char *identity, unsigned char **ret_bytes,
                    size_t *ret_length);

/*
 * Keeps a piece, at once or not at all, in place of an earlier one. What was not used for longest
 * goes when there is more than bytes_max. After a failure (a full disk, say) nothing is written any
 * more: -errno. -EFBIG for a piece beyond DISK_CACHE_PIECE_BYTES_MAX or a sixteenth of bytes_max.
 */
int disk_cache_write(struct disk_cache *cache, const char *identity, const void *bytes,
                     size_t length);

/* Why nothing is kept, for people: malloc'ed, or NULL. */
char *disk_cache_problem(const struct disk_cache *cache);

/* Where in a file of `length` bytes the piece of that identity is. 0, or -EBADMSG: it is not. */
int disk_cache_check(const unsigned char *file, size_t length, const char *identity,
                     size_t *ret_offset);
