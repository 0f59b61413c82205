/*
 * Whose rights the files of a module are opened with: those of the process that mapped it, as it
 * was then. Files that only root may read must not be had by naming them in a program that somebody
 * else's process runs.
 */
#pragma once

#include "lprofd/privilege.h"
#include "lprofd/record.h"

#define RIGHTS_MAX 64

/* Different ones; a few, however many processes there are. */
struct rights {
    struct target *kept[RIGHTS_MAX]; /* owned */
    size_t count;
};

void rights_clear(struct rights *rights);

/*
 * The rights that `process` had when it made the mapping. When that is not certain (it ended, or
 * maps something else by now, and may have been another user meanwhile), they are nobody's and
 * *ret_certain is false. They stay what they are. The caller owns *ret_target. 0 or -ENOMEM.
 */
int rights_find(const struct target *process, const struct record_mapping *mapping,
                struct target **ret_target, bool *ret_certain);

/* Takes the target over, and gives one that has the same rights; NULL when there are too many. */
const struct target *rights_keep(struct rights *rights, struct target *target);
