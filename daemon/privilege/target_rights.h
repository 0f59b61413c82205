/* Whose rights a target's files are opened with. */
#pragma once

#include "lprofd/privilege.h"

/*
 * A process may become another user: root that starts a service gives up its rights, and whoever
 * runs from then on must not have files opened as root by naming them in debug information. Nor may
 * it get rights by executing a set-id program. So what was seen to change is nobody for good.
 */
void target_look_again(const struct target *target);

/* Looks again; a shallow copy of the target with the user and groups that it has now. */
struct target target_rights(const struct target *target);
