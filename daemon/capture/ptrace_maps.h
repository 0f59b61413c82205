/* The target's executable mappings, looked at as often as is worth it: for the ptrace backend. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

struct ptrace_maps {
    struct text known;        /* the executable lines that were told last */
    struct text latest;       /* scratch: those of the look under way */
    uint64_t due_ns, told_ns; /* of the next look; of `known` */
    uint64_t cost_ns;         /* CPU time of a look; 0 before the first */
};

/* Whether a look is due: looks take some 5 % of one CPU at most, or come once a second. */
static inline bool ptrace_maps_are_due(const struct ptrace_maps *maps, uint64_t now_ns)
{
    return now_ns >= maps->due_ns;
}

/*
 * Looks. 1: there is something to tell, maps->known, either because it has changed, or because that
 * was last told a second ago: who hears of it may have missed something. 0, or -errno: then what is
 * known stays, also when the process has ended.
 */
int ptrace_maps_look(struct ptrace_maps *maps, pid_t pid);

/* What is known need not hold any more: the next look is due at once, and tells. */
void ptrace_maps_forget(struct ptrace_maps *maps);

void ptrace_maps_free(struct ptrace_maps *maps);
