/* How many file descriptors a capture may hold. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* What is left to the rest of lprofd; half of them where there are fewer than twice as many. */
#define DESCRIPTORS_LEFT 256

static inline size_t descriptor_budget(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    size_t count = (size_t)limit.rlim_cur;
    return count > 2 * DESCRIPTORS_LEFT ? count - DESCRIPTORS_LEFT : count / 2;
}
