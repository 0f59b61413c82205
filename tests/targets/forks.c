/* As many children as can be started, each of which has one of its own; few of them at a time. */
#include <sys/wait.h>

#include "target.h"

#define UNIT 20000 /* some 25 us: less than it takes to start a process */
#define CHILDREN_MAX 30

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

static void child(void)
{
    uint64_t value = work(1);
    if (fork() == 0) {
        value = work(value);
        _exit(0);
    }
    wait(NULL);
    BARRIER(value);
    _exit(0);
}

int main(int argc, char **argv)
{
    target_start(argc, argv);
    for (int children = 0;;) {
        pid_t pid = fork();
        if (pid == 0)
            child();
        children += pid > 0;
        while (children >= CHILDREN_MAX && wait(NULL) > 0)
            children--;
    }
}
