/* A child process whose main thread has ended, while another one goes on until the test ends it. */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static inline char mainless_state(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return strrchr(text, ')')[2];
}

/* `told` has the pipe in which the thread tells its id, and becomes what `body` makes of it. */
struct mainless {
    int told[2];
    void (*body)(void);
};

static inline void *mainless_thread(void *user)
{
    const struct mainless *mainless = user;
    pid_t tid = gettid();
    if (mainless->body)
        mainless->body();
    if (write(mainless->told[1], &tid, sizeof tid) != (ssize_t)sizeof tid)
        _exit(1);
    for (;;)
        pause();
    return NULL;
}

static inline void mainless_run(struct mainless *mainless)
{
    pthread_t thread;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pthread_create(&thread, NULL, mainless_thread, mainless))
        _exit(1);
    syscall(SYS_exit, 0); /* only this thread: nothing that the C library does at its end */
}

/* Returns once its main thread is a zombie and `body`, if any, was done by the other one. */
static inline pid_t mainless_start(void (*body)(void), pid_t *ret_tid)
{
#if defined(__SANITIZE_THREAD__)
    print_message("skipped: children with threads cannot run under ThreadSanitizer\n");
    skip();
#endif
    struct mainless mainless = {.body = body};
    assert_int_equal(pipe(mainless.told), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        mainless_run(&mainless);
    close(mainless.told[1]);
    assert_int_equal(read(mainless.told[0], ret_tid, sizeof *ret_tid), sizeof *ret_tid);
    close(mainless.told[0]);
    while (mainless_state(pid) != 'Z')
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return pid;
}

static inline void mainless_end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A child that has ended and was not waited for; mainless_end() does that. */
static inline pid_t mainless_zombie(void)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    return pid;
}
