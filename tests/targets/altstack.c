/* Works inside a signal handler that has a stack of its own. */
#include <time.h>

#include "target.h"

#define UNIT 400000

static volatile uint64_t seed = 1;
static unsigned char other_stack[65536];

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

int main(int argc, char **argv)
{
    const stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0)
        return 1;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec period = {{.tv_nsec = 2000000}, {.tv_nsec = 2000000}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
        return 1;
    target_start(argc, argv);
    timer_settime(timer, 0, &period, NULL);
    wait_for_signals();
}
