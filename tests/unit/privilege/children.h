/* Child processes for the tests of privilege/: they live until the test ends them. */
#pragma once

#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_UID 65534
#define TEST_GROUP 54321

/* Forks a child that runs `body` and then pauses; returns once `body` was done. */
static inline pid_t child_start(void (*body)(void *), void *user)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (body)
            body(user);
        close(ready[0]);
        if (write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static inline void child_end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A body: become a plain user with one supplementary group. */
static inline void child_become_user(void *user)
{
    (void)user;
    const gid_t group = TEST_GROUP;
    if (setgroups(1, &group) || setresgid(TEST_UID, TEST_UID, TEST_UID) ||
        setresuid(TEST_UID, TEST_UID, TEST_UID))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing ids clears it */
}

static inline void need_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
}
