/* A blob: immutable bytes of an answer, shared by the connections that send them. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct blob {
    _Atomic uint32_t references;
    char *bytes; /* owned */
    size_t length;
    uint64_t hash;                   /* of the bytes: the entity tag */
    struct blob *_Atomic compressed; /* owned: the same as gzip, once somebody asked for it */
};

/* Takes the bytes of `text`, which is empty afterwards. 0, or -ENOMEM also when text->failed. */
int blob_new(struct text *text, struct blob **ret_blob);
struct blob *blob_ref(struct blob *blob);
/* NULL is harmless. */
void blob_unref(struct blob *blob);
/* The signature that libmicrohttpd wants. */
void blob_unref_void(void *blob);

/* The blob as gzip (RFC 1952), made once; borrowed from `blob`. NULL without memory. */
struct blob *blob_compressed(struct blob *blob);
/* Inflates one gzip member of at most `max` bytes. 0, -EINVAL, -EFBIG or -ENOMEM. */
int blob_inflate(const unsigned char *bytes, size_t length, size_t max, struct text *ret_text);

static inline void blob_unrefp(struct blob **blob)
{
    blob_unref(*blob);
}

#define _cleanup_blob_ __attribute__((cleanup(blob_unrefp)))
