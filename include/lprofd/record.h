/* A record: one decoded event of the kernel (or of the ptrace backend), in time order. */
#pragma once

#include "lprofd/sample.h"

enum record_type {
    RECORD_SAMPLE,
    RECORD_MAPPING, /* a file or anonymous memory was mapped executable */
    RECORD_COMM,    /* a thread was renamed, or a new image was executed */
    RECORD_FORK,    /* a thread or process was created */
    RECORD_EXIT,    /* a thread ended */
    RECORD_LOST,    /* records did not fit into the ring */
    RECORD_THROTTLED,
    RECORD_MAPS,   /* all that is mapped executable, from a backend that has no RECORD_MAPPING */
    RECORD_MISSED, /* events were off: of all processes, mappings and more may have gone by */
};

struct record_mapping {
    uint64_t start, length, file_offset; /* bytes */
    uint64_t device_major, device_minor, inode;
    const char *path; /* "//anon", "[vdso]" or a path in the target's mount namespace */
};

/* Pointers are borrowed and valid only until the callback that received the record returns. */
struct record {
    enum record_type type;
    uint64_t time_ns;
    pid_t pid, tid;
    uint32_t cpu;
    union {
        struct sample sample;          /* RECORD_SAMPLE */
        struct record_mapping mapping; /* RECORD_MAPPING */
        struct {
            const char *name;
            bool is_exec;
        } comm; /* RECORD_COMM */
        struct {
            pid_t parent_pid; /* its own for a thread */
            pid_t parent_tid; /* 0: not known */
        } fork;               /* RECORD_FORK */
        uint64_t lost_count;  /* RECORD_LOST */
        const char *maps;     /* RECORD_MAPS: lines of /proc/PID/maps (proc_pid_maps(5)) */
    };
};
