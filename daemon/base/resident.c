/* The memory of lprofd itself. */
#include "base/resident.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t read_now(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t pages = 0;
    if (file) {
        if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t read_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_maxrss * 1024;
}

uint64_t resident_bytes(void)
{
    static _Atomic uint64_t last_bytes; /* of the one process that there is */
    uint64_t bytes = read_now();
    if (bytes)
        atomic_store(&last_bytes, bytes);
    else
        bytes = atomic_load(&last_bytes);
    return bytes ? bytes : read_peak();
}
