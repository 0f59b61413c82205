/* The text of /proc/PID/stat, proc_pid_stat(5). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* The fields that are used here. */
struct proc_stat {
    char state; /* 'R', 'S', 'Z', ... */
    pid_t parent;
    uint64_t flags; /* PF_EXITING and others of the kernel's linux/sched.h */
    uint64_t threads;
    uint64_t own_ticks;    /* CPU time: utime and stime */
    uint64_t waited_ticks; /* that of children that were waited for: cutime and cstime */
    uint64_t start_ticks;
    uint64_t start_stack; /* the stack pointer that its program began with; 0: not told */
};

/* 0, or -EINVAL for text that makes no sense. */
int proc_stat_parse(const char *text, struct proc_stat *ret_stat);
