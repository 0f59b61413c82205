/* Reads and writes pieces: a header, the identity, the bytes, and a checksum of both. */
#include "symbol/disk_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/md5.h"
#include "base/negative_errno.h"
#include "base/read_at.h"
#include "base/write_all.h"
#include "lprofd/privilege.h"
#include "symbol/disk_cache_trim.h"

/* How exactly the time of last use is kept. */
#define USED_SECONDS 60
/* One part in so many is written between two looks at what the directory holds. */
#define SCAN_PARTS 16

struct header {
    char magic[8];
    uint32_t format;
    uint32_t identity_bytes;
    uint64_t piece_bytes;
    uint32_t checksum; /* CRC-32 of identity and piece */
    uint32_t padding;
};

static const char magic[8] = "lprofdSC";

static void free_cache(struct disk_cache **cache)
{
    disk_cache_free(*cache);
}

int disk_cache_new(const char *path, uint64_t bytes_max, struct disk_cache **ret_cache)
{
    _cleanup_(free_cache) struct disk_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    cache->directory_fd = -1;
    cache->bytes_max = bytes_max;
    cache->path = strdup(path);
    if (!cache->path)
        return -ENOMEM;
    *ret_cache = take_pointer(cache);
    return 0;
}

void disk_cache_free(struct disk_cache *cache)
{
    if (!cache)
        return;
    close_fd(&cache->directory_fd);
    free(cache->path);
    free(cache);
}

/* A directory that is not there (yet) is no failure for who only reads. */
static int open_directory(struct disk_cache *cache, bool make)
{
    if (cache->error || cache->directory_fd >= 0)
        return cache->error;
    int error = privilege_open_cache(cache->path, make, &cache->directory_fd);
    if (error && (make || error != -ENOENT))
        cache->error = error;
    return error;
}

static void format_name(const char *identity, char ret_name[static DISK_CACHE_NAME_BYTES])
{
    struct md5 md5;
    unsigned char digest[MD5_BYTES];
    md5_init(&md5);
    md5_add(&md5, identity, strlen(identity));
    md5_finish(&md5, digest);
    for (size_t i = 0; i < MD5_BYTES; i++)
        snprintf(ret_name + 2 * i, 3, "%02x", digest[i]);
    memcpy(ret_name + 2 * MD5_BYTES, DISK_CACHE_SUFFIX, sizeof DISK_CACHE_SUFFIX);
}

int disk_cache_check(const unsigned char *file, size_t length, const char *identity,
                     size_t *ret_offset)
{
    struct header header;
    size_t identity_bytes = strlen(identity);
    if (length < sizeof header)
        return -EBADMSG;
    memcpy(&header, file, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.format != DISK_CACHE_FORMAT ||
        header.identity_bytes != identity_bytes || length - sizeof header < identity_bytes ||
        length - sizeof header - identity_bytes != header.piece_bytes ||
        memcmp(file + sizeof header, identity, identity_bytes) != 0 ||
        crc32_gzip_refl(0, file + sizeof header, length - sizeof header) != header.checksum)
        return -EBADMSG;
    *ret_offset = sizeof header + identity_bytes;
    return 0;
}

/* The whole file. -EFBIG for what we never wrote. */
static int read_file(int fd, unsigned char **ret_bytes, struct stat *ret_status)
{
    if (fstat(fd, ret_status))
        return negative_errno();
    if ((uint64_t)ret_status->st_size > 2 * DISK_CACHE_PIECE_BYTES_MAX)
        return -EFBIG;
    _cleanup_free_ unsigned char *bytes = malloc((size_t)ret_status->st_size + 1);
    if (!bytes)
        return -ENOMEM;
    int error = read_at(fd, bytes, (uint64_t)ret_status->st_size, 0);
    if (!error)
        *ret_bytes = take_pointer(bytes);
    return error;
}

/* The time of last modification is that of last use: files are never changed. */
static void note_use(int fd, const struct stat *status)
{
    if (time(NULL) - status->st_mtim.tv_sec > USED_SECONDS)
        (void)futimens(fd, NULL);
}

int disk_cache_read(struct disk_cache *cache, const char *identity, unsigned char **ret_bytes,
                    size_t *ret_length)
{
    char name[DISK_CACHE_NAME_BYTES];
    _cleanup_close_ int fd = -1;
    _cleanup_free_ unsigned char *bytes = NULL;
    struct stat status;
    size_t offset;
    if (open_directory(cache, false))
        return -ENOENT;
    format_name(identity, name);
    if (privilege_open_cached(cache->directory_fd, name, &fd))
        return -ENOENT;
    int error = read_file(fd, &bytes, &status);
    if (!error)
        error = disk_cache_check(bytes, (size_t)status.st_size, identity, &offset);
    if (error)
        return error == -ENOMEM ? error : -ENOENT;
    note_use(fd, &status);
    *ret_length = (size_t)status.st_size - offset;
    memmove(bytes, bytes + offset, *ret_length); /* so that it is aligned */
    *ret_bytes = take_pointer(bytes);
    return 0;
}

static int write_file(int fd, const char *identity, const void *bytes, size_t length)
{
    size_t identity_bytes = strlen(identity);
    struct header header = {
        .format = DISK_CACHE_FORMAT,
        .identity_bytes = (uint32_t)identity_bytes,
        .piece_bytes = length,
        .checksum = crc32_gzip_refl(
            crc32_gzip_refl(0, (const unsigned char *)identity, identity_bytes), bytes, length),
    };
    memcpy(header.magic, magic, sizeof magic);
    int error = write_all(fd, &header, sizeof header);
    if (!error)
        error = write_all(fd, identity, identity_bytes);
    return error ? error : write_all(fd, bytes, length);
}

/*
 * Nobody sees a part of it: it gets its name when it is complete. It is not forced to the disk
 * before: what a power failure leaves of it does not agree with its checksum.
 */
static int write_whole(int directory_fd, const char *identity, const void *bytes, size_t length)
{
    char name[DISK_CACHE_NAME_BYTES], temporary[DISK_CACHE_NAME_BYTES];
    uint64_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        return -EAGAIN;
    snprintf(temporary, sizeof temporary, "%016" PRIx64 DISK_CACHE_TEMPORARY_SUFFIX, number);
    _cleanup_close_ int fd = -1;
    int error = privilege_create_cached(directory_fd, temporary, &fd);
    if (error)
        return error;
    format_name(identity, name);
    error = write_file(fd, identity, bytes, length);
    if (!error && renameat(directory_fd, temporary, directory_fd, name))
        error = negative_errno();
    if (error)
        unlinkat(directory_fd, temporary, 0);
    return error;
}

/* Looks often enough that no more than bytes_max are there, as long as nobody else writes. */
static int keep_bound(struct disk_cache *cache, size_t length)
{
    uint64_t part = cache->bytes_max / SCAN_PARTS;
    cache->unscanned_bytes += disk_cache_round(length);
    if (cache->is_scanned && cache->unscanned_bytes <= part)
        return 0;
    cache->is_scanned = true;
    cache->unscanned_bytes = disk_cache_round(length);
    return disk_cache_trim(cache->directory_fd, cache->bytes_max - part);
}

int disk_cache_write(struct disk_cache *cache, const char *identity, const void *bytes,
                     size_t length)
{
    size_t file_bytes = sizeof(struct header) + strlen(identity) + length;
    if (length > DISK_CACHE_PIECE_BYTES_MAX ||
        disk_cache_round(file_bytes) > cache->bytes_max / SCAN_PARTS)
        return -EFBIG;
    int error = open_directory(cache, true);
    if (error)
        return error;
    error = keep_bound(cache, file_bytes);
    if (!error)
        error = write_whole(cache->directory_fd, identity, bytes, length);
    if (error && error != -ENOMEM)
        cache->error = error;
    return error;
}

char *disk_cache_problem(const struct disk_cache *cache)
{
    char *text = NULL;
    if (!cache->error)
        return NULL;
    int length =
        asprintf(&text,
                 "symbols are not kept on disk in %s: %s; --symbol-cache names another directory, "
                 "or is off",
                 cache->path,
                 cache->error == -EPERM ? "others have rights to that directory, or it is another "
                                          "user's (lprofd wants it for itself: mode 700)"
                                        : strerror(-cache->error));
    return length < 0 ? NULL : text;
}
