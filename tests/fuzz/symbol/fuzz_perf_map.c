/* Arbitrary /tmp/perf-PID.map, read in two pieces as it grows: as if read at once. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/perf_map.h"

#define ADDRESSES 64

/* The target's root: a directory with nothing but the map. */
struct place {
    char root[32], directory[64], path[96];
    struct target target;
};

static struct place place;

static void leave(void)
{
    unlink(place.path);
    rmdir(place.directory);
    rmdir(place.root);
}

static void prepare(void)
{
    strcpy(place.root, "/tmp/lprofd-fuzz-XXXXXX");
    fuzz_check(mkdtemp(place.root));
    snprintf(place.directory, sizeof place.directory, "%s/tmp", place.root);
    snprintf(place.path, sizeof place.path, "%s/perf-7.map", place.directory);
    fuzz_check(mkdir(place.directory, 0755) == 0 && atexit(leave) == 0);
    place.target = (struct target){
        .pid = INT32_MAX, .inner_pid = 7, .pidfd = -1, .uid = geteuid(), .gid = getegid()};
    place.target.root_fd = open(place.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fuzz_check(place.target.root_fd >= 0);
}

static void grow(struct perf_map *map, int fd, const uint8_t *bytes, size_t length)
{
    bool changed;
    fuzz_check(write(fd, bytes, length) == (ssize_t)length);
    fuzz_check(perf_map_refresh(map, &place.target, &changed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!place.root[0])
        prepare();
    int fd = open(place.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    fuzz_check(fd >= 0);
    struct perf_map grown = {0}, whole = {0};
    size_t half = length ? bytes[0] % length : 0;
    grow(&grown, fd, bytes, half);
    grow(&grown, fd, bytes + half, length - half);
    grow(&whole, fd, bytes, 0);
    for (uint64_t i = 0; i < ADDRESSES; i++) {
        const char *name = perf_map_find(&whole, i * 16), *same = perf_map_find(&grown, i * 16);
        fuzz_check(!name == !same && (!name || !strcmp(name, same)));
    }
    perf_map_free(&grown);
    perf_map_free(&whole);
    close(fd);
    return 0;
}
