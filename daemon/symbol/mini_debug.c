/* Unpacks .gnu_debugdata with liblzma into a file in memory, within bounds. */
#include "symbol/mini_debug.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/write_all.h"

/* The largest that distributions ship unpack to a few MiB. */
#define PACKED_BYTES_MAX ((size_t)32 << 20)
#define UNPACKED_BYTES_MAX ((size_t)64 << 20)
#define DECODER_BYTES_MAX ((uint64_t)96 << 20)
#define CHUNK_BYTES ((size_t)256 << 10)

static int error_of(lzma_ret result)
{
    switch (result) {
    case LZMA_OK:
    case LZMA_STREAM_END:
        return 0;
    case LZMA_MEM_ERROR:
        return -ENOMEM;
    case LZMA_MEMLIMIT_ERROR:
        return -EFBIG;
    default:
        return -EBADMSG;
    }
}

static int unpack_stream(lzma_stream *stream, int fd)
{
    _cleanup_free_ unsigned char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return -ENOMEM;
    lzma_ret result = LZMA_OK;
    while (result == LZMA_OK) {
        stream->next_out = chunk;
        stream->avail_out = CHUNK_BYTES;
        result = lzma_code(stream, LZMA_FINISH);
        int error = error_of(result);
        if (!error && stream->total_out > UNPACKED_BYTES_MAX)
            error = -EFBIG;
        if (!error)
            error = write_all(fd, chunk, CHUNK_BYTES - stream->avail_out);
        if (error)
            return error;
    }
    return 0;
}

static int unpack(const unsigned char *bytes, size_t length, int fd)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    int error = error_of(lzma_stream_decoder(&stream, DECODER_BYTES_MAX, 0));
    stream.next_in = bytes;
    stream.avail_in = length;
    if (!error)
        error = unpack_stream(&stream, fd);
    lzma_end(&stream);
    return error;
}

int mini_debug_open(const struct elf_reader *binary, struct elf_reader **ret_file)
{
    const struct elf_section *section = elf_reader_section(binary, ".gnu_debugdata");
    _cleanup_free_ unsigned char *packed = NULL;
    size_t length;
    if (!section)
        return -ENOENT;
    if (section->bytes > PACKED_BYTES_MAX)
        return -EFBIG;
    int error = elf_reader_read(binary, section, &packed, &length);
    if (error)
        return error;
    _cleanup_close_ int fd = memfd_create("mini_debug", MFD_CLOEXEC);
    if (fd < 0)
        return -ENOMEM;
    error = unpack(packed, length, fd);
    if (!error)
        error = elf_reader_open(fd, ret_file);
    if (error)
        return error;
    (*ret_file)->owns_fd = true;
    take_fd(&fd);
    return 0;
}
