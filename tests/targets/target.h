/* What every target shares: say "ready", end after so many seconds, and fixed work. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A function that the compiler neither inlines, clones nor reasons about from outside. */
#if defined(__clang__)
#define OPAQUE __attribute__((noinline))
#else
#define OPAQUE __attribute__((noipa))
#endif

/*
 * One step of work is one multiplication and one addition that depend on the step before, so that
 * the time of n steps is n times the latency of two instructions, wherever the loop is placed.
 */
#define STEP(value) ((value)*UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407))

/* So many steps, all of them on the line that says so. */
#define WORK(value, steps)                                                                         \
    for (unsigned step_ = 0; step_ < (steps); step_++)                                             \
    (value) = STEP(value)

/* Keeps the compiler from moving, merging or tail-calling across. */
#define BARRIER(value) __asm__ volatile("" : "+r"(value)::"memory")

static inline void target_end(int number)
{
    (void)number;
    _exit(0);
}

/* TARGET SECONDS says "ready" on stdout and ends after SECONDS; TARGET alone runs until killed. */
static inline void target_start(int argc, char **argv)
{
    signal(SIGALRM, target_end);
    if (argc < 2)
        return;
    alarm((unsigned)atoi(argv[1]));
    puts("ready");
    fflush(stdout);
}
