/* Forks a child that works while the parent sleeps: without --follow the child is not profiled. */
#include <sys/prctl.h>

#include "target.h"

#define UNIT 100000

static OPAQUE uint64_t child_work(uint64_t value)
{
    WORK(value, UNIT); /* known: child */
    return value;
}

static OPAQUE uint64_t parent_work(uint64_t value)
{
    WORK(value, UNIT); /* known: parent */
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            value = child_work(value);
    }
    target_start(argc, argv);
    for (;;)
        value = parent_work(value);
}
