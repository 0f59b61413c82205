/* Works for two seconds of CPU time, then replaces itself with itself and works on under another name. */
#include <string.h>
#include <time.h>

#include "target.h"

#define UNIT 100000

static OPAQUE uint64_t before_exec(uint64_t value)
{
    WORK(value, UNIT); /* known: before */
    return value;
}

static OPAQUE uint64_t after_exec(uint64_t value)
{
    WORK(value, UNIT); /* known: after */
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    if (argc > 1 && strcmp(argv[1], "after") == 0) {
        signal(SIGALRM, target_end);
        for (;;)
            value = after_exec(value);
    }
    target_start(argc, argv);
    while (clock() < 2 * CLOCKS_PER_SEC)
        value = before_exec(value);
    execl("/proc/self/exe", "execs", "after", (char *)NULL);
    return (int)value;
}
