/* Cleanup attributes for locals that own something (after systemd's macro of the same name). */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

static inline void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static inline void close_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

#define _cleanup_free_ _cleanup_(free_pointer)
#define _cleanup_close_ _cleanup_(close_fd)
#define _cleanup_file_ _cleanup_(close_file)
#define _cleanup_directory_ _cleanup_(close_directory)

/* Hands an owned pointer on: evaluates to its value and leaves NULL behind. */
#define take_pointer(pointer)                                                                      \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

/* Hands an owned file descriptor on and leaves -1 behind. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define array_length(array) (sizeof(array) / sizeof((array)[0]))
