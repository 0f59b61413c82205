/*
 * Works inside a signal handler that has a stack of its own: far from the one that it interrupts,
 * or, with a second argument, right below it.
 */
#include <pthread.h>
#include <time.h>

#include "target.h"

#define UNIT 400000

static volatile uint64_t seed = 1;
static unsigned char stacks[2][1 << 18] __attribute__((aligned(4096)));

static OPAQUE uint64_t handler_work(uint64_t value)
{
    WORK(value, UNIT); /* known: handler */
    return value;
}

static void on_signal(int number)
{
    (void)number;
    seed = handler_work(seed);
}

static OPAQUE void wait_for_signals(void)
{
    for (;;)
        pause();
}

static void *run(void *user)
{
    const stack_t stack = {.ss_sp = stacks[0], .ss_size = sizeof stacks[0]};
    (void)user;
    if (sigaltstack(&stack, NULL) < 0)
        _exit(1);
    wait_for_signals();
    return NULL;
}

/* In a thread whose stack is the other half. */
static void run_near(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t signals;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stacks[1], sizeof stacks[1]);
    if (pthread_create(&thread, &attributes, run, NULL) != 0)
        _exit(1);
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec period = {{.tv_nsec = 2000000}, {.tv_nsec = 2000000}};
    if (sigaction(SIGUSR1, &action, NULL) < 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
        return 1;
    target_start(argc, argv);
    timer_settime(timer, 0, &period, NULL);
    if (argc > 2)
        run_near();
    else
        run(NULL);
}
