/*
 * clock_shift.so, for LD_PRELOAD: the wall clock of a program jumps as one writes to a file. The
 * file that CLOCK_SHIFT names holds a 64-bit number of seconds by which CLOCK_REALTIME is ahead of
 * the machine's; it is mapped, so that a write counts at once. No other clock changes, as none does
 * when a machine's time is set (clock_settime(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t *shift_s;

__attribute__((constructor)) static void map_shift(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift_s, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        abort(); /* the test would show nothing */
    shift_s = bytes;
    close(fd);
}

/* Not glibc's: what stands in its place here would be called again. */
int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    if (syscall(SYS_clock_gettime, clock, ret_now) < 0)
        return -1;
    if (shift_s && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret_now->tv_sec += atomic_load(shift_s);
    return 0;
}

time_t time(time_t *ret_now)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (ret_now)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret_now = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

int timespec_get(struct timespec *ret_now, int base)
{
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, ret_now) ? base : 0;
}
