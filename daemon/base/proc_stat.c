/* The text of /proc/PID/stat. */
#include "base/proc_stat.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int proc_stat_parse(const char *text, struct proc_stat *ret_stat)
{
    /* The name is in parentheses and may itself contain any character: skip to the last one. */
    const char *fields = strrchr(text, ')');
    struct proc_stat stat = {0};
    uint64_t user = 0, system = 0, waited_user = 0, waited_system = 0;
    if (!fields ||
        sscanf(fields + 1,
               " %c %d %*d %*d %*d %*d %" SCNu64 " %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %*d %*d %" SCNu64 " %*d %" SCNu64 " %*u %*d %*u %*u %*u %" SCNu64,
               &stat.state, &stat.parent, &stat.flags, &user, &system, &waited_user, &waited_system,
               &stat.threads, &stat.start_ticks, &stat.start_stack) < 9)
        return -EINVAL;
    stat.own_ticks = user + system;
    stat.waited_ticks = waited_user + waited_system;
    *ret_stat = stat;
    return 0;
}
