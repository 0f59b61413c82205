/* Whether sources are those that the program was built from, by MD5; each text is read once. */
#include "session/source_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/negative_errno.h"
#include "lprofd/session.h"

#define PIECE_BYTES 65536

void source_checks_init(struct source_checks *checks)
{
    *checks = (struct source_checks){0};
    pthread_mutex_init(&checks->mutex, NULL);
}

void source_checks_destroy(struct source_checks *checks)
{
    free(checks->sums);
    pthread_mutex_destroy(&checks->mutex);
}

static int sum_file(int fd, unsigned char ret_md5[static MD5_BYTES])
{
    unsigned char piece[PIECE_BYTES];
    struct md5 md5;
    off_t offset = 0;
    md5_init(&md5);
    for (;;) {
        ssize_t count = pread(fd, piece, sizeof piece, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return negative_errno();
        if (count == 0)
            break;
        md5_add(&md5, piece, (size_t)count);
        offset += count;
        if (offset > SESSION_SOURCE_MAX_BYTES)
            return -EFBIG;
    }
    md5_finish(&md5, ret_md5);
    return 0;
}

static bool same_time(struct timespec left, struct timespec right)
{
    return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

static bool is_of(const struct source_sum *sum, const struct stat *status)
{
    return sum->known && sum->device == status->st_dev && sum->inode == status->st_ino &&
           sum->bytes == status->st_size && same_time(sum->modified, status->st_mtim) &&
           same_time(sum->changed, status->st_ctim);
}

static bool find_sum(struct source_checks *checks, uint32_t file, const struct stat *status,
                     unsigned char ret_md5[static MD5_BYTES])
{
    pthread_mutex_lock(&checks->mutex);
    bool found = file < checks->count && is_of(&checks->sums[file], status);
    if (found)
        memcpy(ret_md5, checks->sums[file].md5, MD5_BYTES);
    pthread_mutex_unlock(&checks->mutex);
    return found;
}

static int keep_sum(struct source_checks *checks, uint32_t file, const struct stat *status,
                    const unsigned char md5[static MD5_BYTES])
{
    struct source_sum sum = {status->st_dev,  status->st_ino,  status->st_size,
                             status->st_mtim, status->st_ctim, .known = true};
    memcpy(sum.md5, md5, MD5_BYTES);
    pthread_mutex_lock(&checks->mutex);
    int error =
        array_reserve(&checks->sums, &checks->capacity, (size_t)file + 1, sizeof *checks->sums);
    while (!error && checks->count <= file)
        checks->sums[checks->count++] = (struct source_sum){0};
    if (!error)
        checks->sums[file] = sum;
    pthread_mutex_unlock(&checks->mutex);
    return error;
}

int source_check(struct source_checks *checks, uint32_t file, int fd, const struct stat *status,
                 const unsigned char md5[static MD5_BYTES], bool *ret_differs)
{
    unsigned char found[MD5_BYTES];
    int error = 0;
    if (!find_sum(checks, file, status, found)) {
        error = sum_file(fd, found);
        if (!error)
            error = keep_sum(checks, file, status, found);
    }
    if (!error)
        *ret_differs = memcmp(found, md5, MD5_BYTES) != 0;
    return error;
}
