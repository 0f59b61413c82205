/*
 * work MODE AMOUNT [DEPTH [FOLDER]]: says "ready", waits for a line, does a fixed amount of work
 * and says what it took, as JSON; over and over until stdin ends. MODE is one of single, threads (4
 * of them), pingpong (two threads wake each other), churn (threads are created one after the
 * other), many (AMOUNT threads sleep, and one works; DEPTH units), modules (code of AMOUNT shared
 * libraries: FOLDER/module-0.so and so on).
 */
#include <dlfcn.h>
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

/*
 * Threads that live through all turns: perf record -p does not see those that are created later.
 * A turn is what happens between two meetings at the barrier.
 */
static pthread_barrier_t barrier;
static unsigned amount_each;

static void *worker(void *user)
{
    for (;;) {
        pthread_barrier_wait(&barrier);
        work(amount_each);
        pthread_barrier_wait(&barrier);
    }
    return user;
}

struct ends {
    int from, to;
    unsigned turns;
};

static struct ends players[2];

static void *player(void *user)
{
    struct ends *ends = user;
    char ball;
    for (;;) {
        pthread_barrier_wait(&barrier);
        for (unsigned i = 0; i < ends->turns; i++)
            if (read(ends->from, &ball, 1) != 1 || write(ends->to, &ball, 1) != 1)
                exit(1);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void start_threads(unsigned count, void *(*body)(void *), struct ends *ends)
{
    pthread_barrier_init(&barrier, NULL, count + 1);
    for (unsigned i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, body, ends ? &ends[i] : NULL))
            exit(1);
    }
}

/* The ball stays in the pipe between turns: each player catches and throws it as often. */
static void start_players(unsigned turns)
{
    int left[2], right[2];
    char ball = 0;
    if (pipe(left) || pipe(right) || write(left[1], &ball, 1) != 1)
        exit(1);
    players[0] = (struct ends){left[0], right[1], turns};
    players[1] = (struct ends){right[0], left[1], turns};
    start_threads(2, player, players);
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

typedef uint64_t spin_function(unsigned units);
static spin_function **spins;

static void load_modules(unsigned count, const char *folder)
{
    spins = calloc(count, sizeof *spins);
    for (unsigned i = 0; spins && i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/module-%u.so", folder, i);
        void *module = dlopen(path, RTLD_NOW);
        spins[i] = module ? (spin_function *)dlsym(module, "spin") : NULL;
        if (!spins[i]) {
            fprintf(stderr, "%s\n", dlerror());
            exit(1);
        }
    }
}

static void run_modules(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sink = spins[i](1000000);
}

static void run(const char *mode, unsigned amount)
{
    if (strcmp(mode, "threads") == 0 || strcmp(mode, "pingpong") == 0) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    } else if (strcmp(mode, "churn") == 0) {
        run_churn(amount);
    } else if (strcmp(mode, "modules") == 0) {
        run_modules(amount);
    } else {
        work(amount);
    }
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
    } else if (strcmp(argv[1], "threads") == 0) {
        amount_each = amount / 4;
        start_threads(4, worker, NULL);
    } else if (strcmp(argv[1], "pingpong") == 0) {
        start_players(amount);
    }
    if (strcmp(argv[1], "modules") == 0)
        load_modules(amount, argc > 4 ? argv[4] : ".");
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
