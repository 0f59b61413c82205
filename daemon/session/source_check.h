/* Whether sources are those that the program was built from, by MD5; each text is read once. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/md5.h"

/* The sum of a file as it was at some time; by file id. */
struct source_sum {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified, changed;
    bool known;
    unsigned char md5[MD5_BYTES];
};

struct source_checks {
    pthread_mutex_t mutex;   /* guards what follows */
    struct source_sum *sums; /* owned */
    size_t count, capacity;
};

void source_checks_init(struct source_checks *checks);
void source_checks_destroy(struct source_checks *checks);

/*
 * *ret_differs: the text behind `fd`, which has this status, is not the one with this sum. The
 * descriptor's position stays. 0, -EFBIG when it grows beyond what is shown, -ENOMEM or another
 * -errno of reading.
 */
int source_check(struct source_checks *checks, uint32_t file, int fd, const struct stat *status,
                 const unsigned char md5[static MD5_BYTES], bool *ret_differs);
