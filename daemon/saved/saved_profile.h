/*
 * Saved profiles: everything that queries need of a session, in one file that another machine can
 * read. It is an SQLite database (https://www.sqlite.org/fileformat2.html): what is small are
 * tables that any tool can read; the stack trie and the counts over time are packed columns.
 *
 * A file comes from anywhere, so every id, count and index in it is checked, and what it makes us
 * allocate is bounded.
 */
#pragma once

#include "aggregate/buckets.h"
#include "base/failure.h"
#include "lprofd/module.h"
#include "lprofd/profile.h"
#include "lprofd/session.h"

/* Source texts of one file, all together; those of the files with the least cost are left out. */
#define SAVED_SOURCES_MAX_BYTES (UINT64_C(64) << 20)

/* The text of a source file as it was when the profile was saved, or why there is none. */
struct saved_source {
    uint32_t file; /* symbols_file() id */
    int error;     /* negative errno of opening it; 0: the text is here */
    bool stale;    /* it is not the one that the program was built from */
    void *packed;  /* owned; by compression_pack() */
    size_t packed_bytes, bytes;
};

/* What was read from a file. All owned; the strings of `info` that are constants elsewhere, too. */
struct saved_profile {
    struct session_info info;
    char *backend, *backend_reason, *event; /* what info's point to */
    struct module *modules; /* by id; 0 is MODULE_NONE; only kind, path, entry, build-id */
    size_t module_count;
    struct profile_thread *threads;
    size_t thread_count;
    struct saved_source *sources; /* ascending files */
    size_t source_count;
    struct stack_locations *locations; /* references */
    struct stack_trie *trie;
    struct symbols *symbols;
    struct bucket_store *buckets;
};

/* What is to be written. All borrowed. */
struct saved_content {
    const struct session_info *info;
    const struct profile_view *view;
    const struct module *const *modules; /* by id; view->module_count of them */
    const struct saved_source *sources;  /* ascending files */
    size_t source_count;
};

/*
 * Makes the bytes of a file: malloc'ed. Takes the lock of the view's symbols. 0, -ENOMEM, or -EFBIG
 * when the profile is larger than a file can be.
 */
int saved_profile_encode(const struct saved_content *content, unsigned char **ret_bytes,
                         size_t *ret_length);

/*
 * Reads the bytes of a file. What is read, and what is needed to read it, takes at most about
 * `limit_bytes` of memory, the bytes themselves included. On failure *ret_failure says why, as the
 * end of a sentence that begins with the file's name: -EBADMSG when it is damaged, -EINVAL when it
 * is something else, -ENOTSUP when a newer lprofd made it, -EFBIG when the limit is too low, or
 * -ENOMEM.
 */
int saved_profile_decode(const unsigned char *bytes, size_t length, uint64_t limit_bytes,
                         struct saved_profile *ret_profile, struct failure *ret_failure);
void saved_profile_clear(struct saved_profile *profile);

/* The text of a source that was saved, `source->bytes` of it: malloc'ed. 0, -ENOMEM or -EBADMSG. */
int saved_source_unpack(const struct saved_source *source, char **ret_text);
