/*
 * execs SECONDS [thread]: works for two seconds of CPU time, then replaces itself with itself, from
 * another thread if told so, and works on under another name.
 */
#include <pthread.h>
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

static void *replace(void *user)
{
    uint64_t value = 1;
    while (clock() < 2 * CLOCKS_PER_SEC)
        value = before_exec(value);
    execl("/proc/self/exe", "execs", "after", (char *)NULL);
    return value ? user : NULL;
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
    pthread_t thread;
    if (argc > 2 && pthread_create(&thread, NULL, replace, NULL) == 0)
        pthread_join(thread, NULL);
    replace(NULL);
    return 1;
}
