/* Keeps the cache on disk within its bound. */
#include "symbol/disk_cache_trim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/negative_errno.h"
#include "lprofd/privilege.h"

#define BLOCK_BYTES 4096
/* Nobody takes that long to write a file. */
#define TEMPORARY_SECONDS 3600

struct entry {
    char name[DISK_CACHE_NAME_BYTES];
    uint64_t bytes;
    int64_t used_ns;
};

struct entries {
    struct entry *items; /* owned */
    size_t count, capacity;
    uint64_t bytes;
};

static void free_entries(struct entries *entries)
{
    free(entries->items);
}

uint64_t disk_cache_round(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

/* Hexadecimal digits, so many, and the suffix. */
static bool is_named(const char *name, size_t digits, const char *suffix)
{
    return strspn(name, "0123456789abcdef") == digits && strcmp(name + digits, suffix) == 0;
}

static int add_entry(struct entries *entries, const char *name, const struct stat *status)
{
    if (array_reserve(&entries->items, &entries->capacity, entries->count + 1,
                      sizeof *entries->items))
        return -ENOMEM;
    struct entry *entry = &entries->items[entries->count++];
    *entry = (struct entry){
        .bytes = disk_cache_round((uint64_t)status->st_size),
        .used_ns =
            (int64_t)status->st_mtim.tv_sec * (int64_t)NS_PER_SECOND + status->st_mtim.tv_nsec,
    };
    memcpy(entry->name, name, strlen(name) + 1); /* as long as is_named() says */
    entries->bytes += entry->bytes;
    return 0;
}

static int look_at(int directory_fd, const char *name, struct entries *entries)
{
    struct stat status;
    bool is_temporary = is_named(name, 16, DISK_CACHE_TEMPORARY_SUFFIX);
    if (!is_temporary && !is_named(name, 32, DISK_CACHE_SUFFIX))
        return 0;
    if (fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW))
        return 0; /* somebody else removed it */
    if (!is_temporary)
        return add_entry(entries, name, &status);
    if (time(NULL) - status.st_mtim.tv_sec > TEMPORARY_SECONDS)
        unlinkat(directory_fd, name, 0);
    return 0;
}

static int scan(int directory_fd, struct entries *entries)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_list_cache(directory_fd, &fd);
    if (error)
        return error;
    _cleanup_directory_ DIR *directory = fdopendir(fd);
    if (!directory)
        return negative_errno();
    take_fd(&fd);
    for (const struct dirent *one; !error && (one = readdir(directory));)
        error = look_at(directory_fd, one->d_name, entries);
    return error;
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return a->used_ns < b->used_ns ? -1 : a->used_ns > b->used_ns;
}

int disk_cache_trim(int directory_fd, uint64_t bytes_max)
{
    _cleanup_(free_entries) struct entries entries = {0};
    int error = scan(directory_fd, &entries);
    if (error || entries.bytes <= bytes_max)
        return error;
    qsort(entries.items, entries.count, sizeof *entries.items, compare);
    for (size_t i = 0; i < entries.count && entries.bytes > bytes_max; i++) {
        if (unlinkat(directory_fd, entries.items[i].name, 0) && errno != ENOENT)
            return negative_errno();
        entries.bytes -= entries.items[i].bytes;
    }
    return 0;
}
