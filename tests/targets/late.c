/*
 * late SECONDS PLUGIN: works in a child. Told by SIGUSR1, the child loads PLUGIN and goes on in it,
 * a thread does the same, and another child is forked. Says "at work" when all three are.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "target.h"

#define UNIT 100000
#define WORKERS 3

static volatile sig_atomic_t told;
static _Atomic int *at_work; /* shared with the children */

static void tell(int number)
{
    told = number;
}

static OPAQUE uint64_t early_work(uint64_t value)
{
    WORK(value, UNIT);
    return value;
}

static OPAQUE uint64_t late_work(uint64_t value)
{
    WORK(value, UNIT);
    return value;
}

static void *work_in_plugin(void *path)
{
    void *library = dlopen(path, RTLD_NOW);
    uint64_t (*work)(uint64_t) = NULL;
    uint64_t value = 1;
    if (library)
        *(void **)&work = dlsym(library, "plugin_work");
    if (!work)
        exit(1);
    ++*at_work;
    for (;;)
        value = work(value);
    return NULL;
}

static pid_t start_child(char *path)
{
    uint64_t value = 1;
    pid_t child = fork();
    if (child)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (path && !told)
        value = early_work(value);
    if (path)
        work_in_plugin(path);
    ++*at_work;
    for (;;)
        value = late_work(value);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    sigset_t usual, blocked;
    if (argc < 3)
        return 2;
    at_work =
        mmap(NULL, sizeof *at_work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGUSR1, tell);
    pid_t child = start_child(argv[2]);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &usual);
    target_start(argc, argv);
    while (!told)
        sigsuspend(&usual);
    kill(child, SIGUSR1);
    start_child(NULL);
    pthread_create(&thread, NULL, work_in_plugin, argv[2]);
    while (*at_work < WORKERS)
        usleep(1000);
    puts("at work");
    fflush(stdout);
    for (;;)
        pause();
}
