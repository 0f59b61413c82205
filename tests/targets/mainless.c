/*
 * mainless SECONDS [PLUGIN [child]]: a thread works and the main one ends, after "ready". With
 * PLUGIN, it ends when told by SIGUSR1; the thread then loads PLUGIN, works in it and in another
 * function by turns, and says "at work". With "child", a child does all that, and ends with its
 * parent, which waits.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>

#include "target.h"

#define UNIT 200000

static pthread_t main_thread;

static OPAQUE uint64_t early_work(uint64_t value)
{
    WORK(value, UNIT); /* known: early */
    return value;
}

static OPAQUE uint64_t late_work(uint64_t value)
{
    WORK(value, UNIT); /* known: late */
    return value;
}

static void work_in_plugin(const char *path, uint64_t value)
{
    uint64_t (*work)(uint64_t) = NULL;
    void *library = dlopen(path, RTLD_NOW);
    if (library)
        *(void **)&work = dlsym(library, "plugin_work");
    if (!work)
        exit(1);
    puts("at work");
    fflush(stdout);
    for (;;)
        value = work(late_work(value));
}

static void *worker(void *path)
{
    uint64_t value = 1;
    while (!path || pthread_tryjoin_np(main_thread, NULL))
        value = early_work(value);
    work_in_plugin(path, value);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    sigset_t told;
    int number;
    char *path = argc > 2 ? argv[2] : NULL;
    sigemptyset(&told);
    sigaddset(&told, SIGUSR1);
    sigprocmask(SIG_BLOCK, &told, NULL);
    if (argc > 3 && fork() > 0) {
        for (;;)
            pause();
    }
    if (argc > 3)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    main_thread = pthread_self();
    pthread_create(&thread, NULL, worker, path);
    target_start(argc, argv);
    if (path)
        sigwait(&told, &number);
    pthread_exit(NULL);
}
