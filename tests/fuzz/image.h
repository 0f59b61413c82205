/* ELF images in memory, as modules. */
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "lprofd/module.h"

/* One descriptor serves all inputs of a harness. */
static inline int image_fd(const void *bytes, size_t length)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && ftruncate(fd, 0) == 0);
    fuzz_check(pwrite(fd, bytes, length, 0) == (ssize_t)length);
    return fd;
}

/* A module of these bytes, of which nothing is known yet; its segments are to be freed. */
static inline struct module image_module(const void *bytes, size_t length)
{
    static char path[] = "/fuzz";
    return (struct module){
        .id = 1, .kind = MODULE_FILE, .path = path, .fd = image_fd(bytes, length)};
}
