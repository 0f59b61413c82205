/* Lends the calling thread, and only it, a target's rights for opening a file. */
#pragma once

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lprofd/privilege.h"

/* What the thread was before. Owned by the caller between the two calls below. */
struct credentials {
    struct __user_cap_data_struct capabilities[2];
    bool switched; /* user and groups were changed, not only capabilities */
    uid_t fsuid;
    gid_t fsgid;
    gid_t *groups; /* owned */
    int group_count;
};

/*
 * Gives the calling thread the target's file-system user, group and supplementary groups and an
 * empty effective capability set. Without the right to switch users, a target of lprofd's own user
 * is fine too. -EACCES for others. On failure the thread is what it was.
 */
int credentials_switch(const struct target *target, struct credentials *ret_before);

/* Undoes the switch. Aborts the program if that fails: going on would be unsafe. */
void credentials_restore(struct credentials *before);
