/* Inflates sections with libdeflate and libzstd; packs with libzstd. */
#include "base/compression.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <zstd.h>

#include "base/cleanup.h"

/* glibc 2.36 does not know it yet. */
#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

#define OLD_MAGIC "ZLIB"

/* What each kind can make of a byte at best: zstd has blocks of 4 bytes that repeat 128 KiB. */
static const uint64_t ratio_max[] = {[COMPRESSION_ZLIB] = 1032, [COMPRESSION_ZSTD] = 32768};

/* "ZLIB" and the size, most significant byte first. */
static int read_old_header(const unsigned char *header, struct compression *compression)
{
    if (memcmp(header, OLD_MAGIC, strlen(OLD_MAGIC)) != 0)
        return -ENOTSUP;
    compression->kind = COMPRESSION_ZLIB;
    compression->header_bytes = strlen(OLD_MAGIC) + sizeof(uint64_t);
    for (size_t i = strlen(OLD_MAGIC); i < compression->header_bytes; i++)
        compression->inflated_bytes = compression->inflated_bytes << 8 | header[i];
    return 0;
}

static int read_header(const unsigned char *header, struct compression *compression)
{
    Elf64_Chdr elf;
    memcpy(&elf, header, sizeof elf);
    if (elf.ch_type != ELFCOMPRESS_ZLIB && elf.ch_type != ELFCOMPRESS_ZSTD)
        return -ENOTSUP;
    compression->kind = elf.ch_type == ELFCOMPRESS_ZLIB ? COMPRESSION_ZLIB : COMPRESSION_ZSTD;
    compression->header_bytes = sizeof elf;
    compression->inflated_bytes = elf.ch_size;
    return 0;
}

int compression_read(const unsigned char header[static COMPRESSION_HEADER_BYTES],
                     uint64_t section_bytes, bool is_old, struct compression *ret_compression)
{
    _Static_assert(sizeof(Elf64_Chdr) == COMPRESSION_HEADER_BYTES, "the longest header");
    struct compression compression = {0};
    int error = is_old ? read_old_header(header, &compression) : read_header(header, &compression);
    if (error)
        return error;
    if (section_bytes < COMPRESSION_HEADER_BYTES ||
        compression.inflated_bytes / ratio_max[compression.kind] > section_bytes)
        return -EBADMSG;
    *ret_compression = compression;
    return 0;
}

static int inflate_zlib(const void *packed, size_t packed_bytes, void *bytes, size_t length)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor)
        return -ENOMEM;
    enum libdeflate_result result =
        libdeflate_zlib_decompress(decompressor, packed, packed_bytes, bytes, length, NULL);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS ? 0 : -EBADMSG;
}

static int inflate_zstd(const void *packed, size_t packed_bytes, void *bytes, size_t length)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context)
        return -ENOMEM;
    size_t got = ZSTD_decompressDCtx(context, bytes, length, packed, packed_bytes);
    ZSTD_freeDCtx(context);
    return ZSTD_isError(got) || got != length ? -EBADMSG : 0;
}

int compression_inflate(enum compression_kind kind, const void *packed, size_t packed_bytes,
                        void *bytes, size_t length)
{
    return kind == COMPRESSION_ZSTD ? inflate_zstd(packed, packed_bytes, bytes, length)
                                    : inflate_zlib(packed, packed_bytes, bytes, length);
}

int compression_pack(const void *bytes, size_t length, int level, void **ret_packed,
                     size_t *ret_bytes)
{
    size_t bound = ZSTD_compressBound(length);
    _cleanup_free_ void *packed = malloc(bound);
    if (!packed)
        return -ENOMEM;
    size_t got = ZSTD_compress(packed, bound, bytes, length, level);
    if (ZSTD_isError(got))
        return -ENOMEM;
    void *exact = realloc(packed, got);
    if (exact)
        packed = exact;
    *ret_packed = take_pointer(packed);
    *ret_bytes = got;
    return 0;
}
