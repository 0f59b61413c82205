/*
 * work MODE AMOUNT [DEPTH]: says "ready", waits for a line, does a fixed amount of work and says
 * what it took, as JSON; over and over until stdin ends. MODE is one of
 *   single, threads (4 of them), pingpong (two threads wake each other), churn (threads are created
 *   one after the other), many (AMOUNT threads sleep, and one works; DEPTH units).
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPAQUE __attribute__((noinline))

static unsigned depth = 20;
static volatile uint64_t sink;

static double clock_of(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* So many units of work at the end of a chain of `level` calls. */
static OPAQUE uint64_t descend(unsigned level, unsigned units, uint64_t value)
{
    if (level > 0)
        return descend(level - 1, units, value + level) ^ level;
    for (unsigned i = 0; i < units; i++)
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return value;
}

static void work(unsigned amount)
{
    for (unsigned i = 0; i < amount; i++)
        sink = descend(depth, 100000, i);
}

static void *worker(void *user)
{
    work(*(unsigned *)user);
    return NULL;
}

static void run_threads(unsigned amount)
{
    pthread_t threads[4];
    unsigned each = amount / 4;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, worker, &each);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

struct ends {
    int from, to;
    unsigned turns;
};

static void *player(void *user)
{
    struct ends *ends = user;
    char ball;
    for (unsigned i = 0; i < ends->turns; i++)
        if (read(ends->from, &ball, 1) != 1 || write(ends->to, &ball, 1) != 1)
            break;
    return NULL;
}

static void run_pingpong(unsigned amount)
{
    int left[2], right[2];
    char ball = 0;
    if (pipe(left) || pipe(right))
        exit(1);
    struct ends one = {left[0], right[1], amount}, two = {right[0], left[1], amount};
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, player, &one);
    pthread_create(&threads[1], NULL, player, &two);
    if (write(left[1], &ball, 1) != 1)
        exit(1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    for (int i = 0; i < 2; i++) {
        close(left[i]);
        close(right[i]);
    }
}

static void *brief(void *user)
{
    return user;
}

static void run_churn(unsigned amount)
{
    for (unsigned i = 0; i < amount; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, brief, NULL);
        pthread_join(thread, NULL);
    }
}

static void *sleeper(void *user)
{
    for (;;)
        pause();
    return user;
}

static void start_sleepers(unsigned count)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (unsigned i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, sleeper, NULL))
            exit(1);
    }
}

static void run(const char *mode, unsigned amount)
{
    if (strcmp(mode, "threads") == 0)
        run_threads(amount);
    else if (strcmp(mode, "pingpong") == 0)
        run_pingpong(amount);
    else if (strcmp(mode, "churn") == 0)
        run_churn(amount);
    else
        work(amount);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    unsigned amount = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        depth = (unsigned)strtoul(argv[3], NULL, 10);
    if (strcmp(argv[1], "many") == 0) {
        start_sleepers(amount);
        amount = 100;
    }
    printf("ready\n");
    fflush(stdout);
    while (getchar() == '\n') {
        double wall = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
        run(argv[1], amount);
        printf("{\"wall_s\":%.6f,\"cpu_s\":%.6f}\n", clock_of(CLOCK_MONOTONIC) - wall,
               clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
        fflush(stdout);
    }
    return 0;
}
