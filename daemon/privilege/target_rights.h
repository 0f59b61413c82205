/* Whose rights a target's files are opened with. */
#pragma once

#include "lprofd/privilege.h"

/* Looks again; a shallow copy of the target with the user and groups that it has now. */
struct target target_rights(const struct target *target);
