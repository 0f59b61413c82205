/* Reads /tmp/perf-PID.map as far as it goes, and goes on there the next time. */
#include "symbol/perf_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Beyond these the rest of a map is not read: a target may write whatever it likes. */
#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define RANGES_MAX ((size_t)1 << 20)
#define NAME_BYTES_MAX 1024
#define CHUNK_BYTES ((size_t)256 << 10)

/* A hexadecimal number without a sign, and the space after it. False when it is none. */
static bool parse_hex(char **cursor, uint64_t *ret_value)
{
    char *end;
    if (!strchr("0123456789abcdefABCDEF", **cursor) || !**cursor)
        return false;
    errno = 0;
    *ret_value = strtoull(*cursor, &end, 16);
    if (errno || *end != ' ')
        return false;
    *cursor = end + 1;
    return true;
}

/* `line` is NUL-terminated and lies in map->text. Lines that say nothing are left out. */
static int add_line(struct perf_map *map, char *line, size_t length)
{
    char *cursor = line;
    uint64_t start, bytes;
    if (!parse_hex(&cursor, &start) || !parse_hex(&cursor, &bytes) || !*cursor || bytes == 0 ||
        bytes > UINT64_MAX - start || map->range_count >= RANGES_MAX)
        return 0;
    if (array_reserve(&map->ranges, &map->range_capacity, map->range_count + 1,
                      sizeof *map->ranges))
        return -ENOMEM;
    size_t name = (size_t)(cursor - line);
    if (length - name > NAME_BYTES_MAX)
        cursor[NAME_BYTES_MAX] = '\0';
    map->ranges[map->range_count] = (struct range){
        .start = start,
        .end = start + bytes,
        .value = (uint32_t)(cursor - map->text),
        .order = (uint32_t)map->range_count,
    };
    map->range_count++;
    return 0;
}

/* Makes ranges of the whole lines that are new; one that is still being written has to wait. */
static int parse_new(struct perf_map *map)
{
    char *end;
    while ((end = memchr(map->text + map->parsed, '\n', map->length - map->parsed))) {
        char *line = map->text + map->parsed;
        *end = '\0';
        int error = add_line(map, line, (size_t)(end - line));
        if (error)
            return error;
        map->parsed = (size_t)(end + 1 - map->text);
    }
    return 0;
}

/* Appends what the file has beyond what was read. */
static int read_new(struct perf_map *map, int fd, uint64_t file_bytes)
{
    while (map->length < file_bytes && map->length < TEXT_BYTES_MAX) {
        if (array_reserve(&map->text, &map->capacity, map->length + CHUNK_BYTES + 1, 1))
            return -ENOMEM;
        ssize_t got = pread(fd, map->text + map->length, CHUNK_BYTES, (off_t)map->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        map->length += (size_t)got;
        map->text[map->length] = '\0';
    }
    return 0;
}

static int open_map(const struct target *target, int *ret_fd, struct stat *ret_status)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)target->inner_pid);
    _cleanup_close_ int fd = -1;
    int error = privilege_open_in_target(target, path, &fd);
    if (error)
        return error;
    if (fstat(fd, ret_status) < 0)
        return -errno;
    if (ret_status->st_uid != target->uid)
        return -EPERM;
    *ret_fd = take_fd(&fd);
    return 0;
}

/* The lines point into text and are sorted in the end, so the orders say which was last. */
static int rebuild(struct perf_map *map)
{
    struct range_map fresh;
    int error = range_map_build(map->ranges, map->range_count, &fresh);
    if (error)
        return error;
    range_map_free(&map->map);
    map->map = fresh;
    return 0;
}

int perf_map_refresh(struct perf_map *map, const struct target *target, bool *ret_changed)
{
    _cleanup_close_ int fd = -1;
    struct stat status;
    *ret_changed = false;
    if (open_map(target, &fd, &status))
        return 0;
    uint64_t file_bytes = (uint64_t)status.st_size;
    bool is_written = status.st_mtim.tv_sec != map->written.tv_sec ||
                      status.st_mtim.tv_nsec != map->written.tv_nsec;
    bool has_grown = file_bytes > map->length;
    bool is_other = status.st_dev != map->device || status.st_ino != map->inode ||
                    file_bytes < map->length || (is_written && !has_grown);
    if (!is_other && (!has_grown || map->length >= TEXT_BYTES_MAX))
        return 0;
    if (is_other) {
        uint64_t files = map->files + 1;
        perf_map_free(map);
        map->files = files;
        map->device = status.st_dev;
        map->inode = status.st_ino;
    }
    map->written = status.st_mtim;
    size_t known = map->parsed;
    int error = read_new(map, fd, file_bytes);
    if (!error && map->text)
        error = parse_new(map);
    if (!error && (is_other || map->parsed != known))
        error = rebuild(map);
    if (error) {
        perf_map_free(map);
        return error;
    }
    *ret_changed = is_other || map->parsed != known;
    return 0;
}

const char *perf_map_find(const struct perf_map *map, uint64_t ip)
{
    uint32_t name = range_map_find(&map->map, ip);
    return name == RANGE_NONE ? NULL : map->text + name;
}

bool perf_map_is_full(const struct perf_map *map)
{
    return map->length >= TEXT_BYTES_MAX || map->range_count >= RANGES_MAX;
}

size_t perf_map_bytes(const struct perf_map *map)
{
    return range_map_bytes(&map->map) + map->capacity + map->range_capacity * sizeof *map->ranges;
}

void perf_map_free(struct perf_map *map)
{
    range_map_free(&map->map);
    free(map->text);
    free(map->ranges);
    *map = (struct perf_map){0};
}
