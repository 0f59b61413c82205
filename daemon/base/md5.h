/* MD5 (RFC 1321): DWARF 5 tells sources apart by it. Not for anything that needs to be secure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

struct md5 {
    uint32_t state[4];
    uint64_t length; /* bytes added so far */
    unsigned char block[64];
};

void md5_init(struct md5 *md5);
void md5_add(struct md5 *md5, const void *bytes, size_t length);
/* The md5 is used up. */
void md5_finish(struct md5 *md5, unsigned char ret_digest[static MD5_BYTES]);
