/* Inflates sections with igzip (of ISA-L) and libzstd; packs with libzstd. */
#include "base/compression.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/pages.h"
#include "base/read_at.h"

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

/* Of packed bytes: what is read of a file at once is still in the cache when it is inflated. */
#define PIECE_BYTES (UINT32_C(256) << 10)
/* igzip counts in 32 bits. */
#define ROOM_BYTES_MAX (UINT32_C(1) << 30)

/* Packed bytes that were not given to igzip yet. */
struct input {
    const unsigned char *bytes; /* borrowed; NULL: they are in the file, at `offset` */
    int fd;
    uint64_t offset, left;
    unsigned char *piece; /* borrowed: room for one */
};

static int next_piece(struct input *input, struct inflate_state *state)
{
    uint32_t length = input->left < PIECE_BYTES ? (uint32_t)input->left : PIECE_BYTES;
    if (input->bytes) {
        state->next_in = (unsigned char *)input->bytes + input->offset;
    } else {
        int error = read_at(input->fd, input->piece, length, input->offset);
        if (error)
            return error;
        state->next_in = input->piece;
    }
    state->avail_in = length;
    input->offset += length;
    input->left -= length;
    return 0;
}

/* One that neither takes nor gives has met the end of its input or room: it would never end. */
static int inflate_some(struct inflate_state *state, size_t room)
{
    state->avail_out = room < ROOM_BYTES_MAX ? (uint32_t)room : ROOM_BYTES_MAX;
    const uint32_t in = state->avail_in, out = state->avail_out;
    const enum isal_block_state before = state->block_state;
    if (isal_inflate(state) != ISAL_DECOMP_OK)
        return -EBADMSG;
    bool moves = state->avail_in != in || state->avail_out != out || state->block_state != before;
    return moves ? 0 : -EBADMSG;
}

static int inflate_zlib(struct input *input, unsigned char *bytes, size_t length,
                        const struct inflate_watch *watch)
{
    _cleanup_free_ struct inflate_state *state = malloc(sizeof *state);
    if (!state)
        return -ENOMEM;
    isal_inflate_init(state);
    state->crc_flag = ISAL_ZLIB;
    state->next_out = bytes;
    int error = 0;
    while (!error && state->block_state != ISAL_BLOCK_FINISH) {
        if (state->avail_in == 0 && input->left)
            error = next_piece(input, state);
        if (!error)
            error = inflate_some(state, (size_t)(bytes + length - state->next_out));
        if (!error && watch)
            error = watch->reached(watch->user, (size_t)(state->next_out - bytes));
    }
    return error || state->next_out == bytes + length ? error : -EBADMSG;
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
    struct input input = {.bytes = packed, .left = packed_bytes};
    return kind == COMPRESSION_ZSTD ? inflate_zstd(packed, packed_bytes, bytes, length)
                                    : inflate_zlib(&input, bytes, length, NULL);
}

static int inflate_zlib_file(struct input *input, void *bytes, size_t length,
                             const struct inflate_watch *watch)
{
    _cleanup_free_ unsigned char *piece = malloc(PIECE_BYTES);
    if (!piece)
        return -ENOMEM;
    input->piece = piece;
    return inflate_zlib(input, bytes, length, watch);
}

/* A window of a zstd frame may be as large as all of it, so that pieces would save nothing. */
static int inflate_zstd_file(const struct input *input, void *bytes, size_t length)
{
    _cleanup_(pages_free) struct pages packed = {0};
    int error = pages_get(input->left + 1, &packed);
    if (!error)
        error = read_at(input->fd, packed.bytes, input->left, input->offset);
    return error ? error : inflate_zstd(packed.bytes, input->left, bytes, length);
}

int compression_inflate_file(const struct compression *compression, int fd, uint64_t offset,
                             uint64_t section_bytes, void *bytes, const struct inflate_watch *watch)
{
    struct input input = {
        .fd = fd,
        .offset = offset + compression->header_bytes,
        .left = section_bytes - compression->header_bytes,
    };
    return compression->kind == COMPRESSION_ZSTD
               ? inflate_zstd_file(&input, bytes, compression->inflated_bytes)
               : inflate_zlib_file(&input, bytes, compression->inflated_bytes, watch);
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
