/* A blob: immutable bytes of an answer. */
#include "http/blob.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* Above this, speed matters more than the last bytes. */
#define FAST_ABOVE_BYTES (1u << 20)
#define GZIP_WINDOW_BITS (15 + 16)

int blob_new(struct text *text, struct blob **ret_blob)
{
    struct blob *blob = text->failed ? NULL : calloc(1, sizeof *blob);
    if (!blob) {
        text_free(text);
        return -ENOMEM;
    }
    atomic_init(&blob->references, 1);
    blob->bytes = take_pointer(text->bytes);
    blob->length = text->length;
    blob->hash = hash_bytes(blob->bytes, blob->length);
    *text = (struct text){0};
    *ret_blob = blob;
    return 0;
}

struct blob *blob_ref(struct blob *blob)
{
    if (blob)
        atomic_fetch_add(&blob->references, 1);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (!blob || atomic_fetch_sub(&blob->references, 1) != 1)
        return;
    blob_unref(atomic_load(&blob->compressed));
    free(blob->bytes);
    free(blob);
}

void blob_unref_void(void *blob)
{
    blob_unref(blob);
}

static int deflate_all(const struct blob *blob, struct text *ret_text)
{
    z_stream stream = {0};
    int level = blob->length > FAST_ABOVE_BYTES ? 1 : 6;
    if (deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    size_t bound = deflateBound(&stream, blob->length);
    char *bytes = bound < UINT_MAX ? malloc(bound) : NULL;
    stream.next_in = (unsigned char *)blob->bytes;
    stream.avail_in = (unsigned)blob->length;
    stream.next_out = (unsigned char *)bytes;
    stream.avail_out = (unsigned)bound;
    int status = bytes ? deflate(&stream, Z_FINISH) : Z_MEM_ERROR;
    size_t length = stream.total_out;
    deflateEnd(&stream);
    if (status != Z_STREAM_END) {
        free(bytes);
        return -ENOMEM;
    }
    *ret_text = (struct text){.bytes = bytes, .length = length, .capacity = bound};
    return 0;
}

struct blob *blob_compressed(struct blob *blob)
{
    struct blob *known = atomic_load(&blob->compressed);
    if (known)
        return known;
    struct text text = {0};
    struct blob *made = NULL;
    if (deflate_all(blob, &text) || blob_new(&text, &made))
        return NULL;
    /* Two threads may have made it: the first one wins. */
    if (atomic_compare_exchange_strong(&blob->compressed, &known, made))
        return made;
    blob_unref(made);
    return known;
}

int blob_inflate(const unsigned char *bytes, size_t length, size_t max, struct text *ret_text)
{
    _cleanup_text_ struct text text = {0};
    z_stream stream = {.next_in = (unsigned char *)bytes, .avail_in = (unsigned)length};
    if (length > UINT_MAX || inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
        return -ENOMEM;
    int status = Z_OK;
    while (status == Z_OK && text.length <= max && !text.failed) {
        unsigned char piece[16384];
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        status = inflate(&stream, Z_NO_FLUSH);
        text_add(&text, (const char *)piece, sizeof piece - stream.avail_out);
    }
    inflateEnd(&stream);
    if (text.failed)
        return -ENOMEM;
    if (text.length > max)
        return -EFBIG;
    if (status != Z_STREAM_END)
        return -EINVAL;
    *ret_text = text;
    text = (struct text){0};
    return 0;
}
