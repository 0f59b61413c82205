/* What session options may ask for. */
#include "lprofd/session.h"

const char *const session_backend_names[] = {"auto",        "perf-cpu", "perf-task",
                                             "perf-thread", "ptrace",   NULL};

const char *const session_event_names[] = {"auto", "cycles", "cpu-clock", "task-clock", NULL};
