/*
 * Compression. Most of it reads compressed sections: SHF_COMPRESSED of the ELF specification (zlib,
 * zstd), and the .zdebug_* sections of GNU tools before it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum compression_kind { COMPRESSION_ZLIB, COMPRESSION_ZSTD };

struct compression {
    enum compression_kind kind;
    size_t header_bytes;     /* in front of the packed bytes */
    uint64_t inflated_bytes; /* as the header claims: no more than the kind can make of them */
};

/* The longest of the headers. */
#define COMPRESSION_HEADER_BYTES 24

/*
 * Reads the header of a section of `section_bytes`, of which `header` has the first
 * COMPRESSION_HEADER_BYTES; `is_old`: a .zdebug_* section. 0, -EBADMSG, or -ENOTSUP (compressed in
 * an unknown way).
 */
int compression_read(const unsigned char header[static COMPRESSION_HEADER_BYTES],
                     uint64_t section_bytes, bool is_old, struct compression *ret_compression);

/*
 * Exactly `length` bytes must come out of the packed ones: a stream that ends early or goes on is
 * corrupt. 0, -ENOMEM or -EBADMSG.
 */
int compression_inflate(enum compression_kind kind, const void *packed, size_t packed_bytes,
                        void *bytes, size_t length);

/* Who is told, some hundred times in all, how many bytes are there: an error of its ends it. */
struct inflate_watch {
    int (*reached)(void *user, size_t bytes);
    void *user;
};

/*
 * Inflates a section of `section_bytes` at `offset` of a file, which is borrowed; `watch` may be
 * NULL. 0, -ENOMEM, -EBADMSG, -EIO when it cannot be read, or what `watch` says.
 */
int compression_inflate_file(const struct compression *compression, int fd, uint64_t offset,
                             uint64_t section_bytes, void *bytes,
                             const struct inflate_watch *watch);

/* Levels: for what is packed while others wait, and for what is kept. */
#define COMPRESSION_FAST 1
#define COMPRESSION_SMALL 9

/* Packs as one zstd frame (RFC 8878). *ret_packed is malloc'ed. 0 or -ENOMEM. */
int compression_pack(const void *bytes, size_t length, int level, void **ret_packed,
                     size_t *ret_bytes);
