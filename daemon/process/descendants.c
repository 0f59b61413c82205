/* The children of a process, their children and so on, by the parents that /proc names. */
#include "process/descendants.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "process/proc_pids.h"
#include "process/proc_text.h"

struct relative {
    pid_t pid;
    struct proc_stat stat;
};

/* Every process of the machine, as it was. */
struct relatives {
    struct relative *items; /* owned */
    size_t count;
};

static void relatives_clear(struct relatives *relatives)
{
    free(relatives->items);
}

static int read_relatives(struct relatives *relatives)
{
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    int error = proc_pids(&pids, &count);
    if (error)
        return error;
    relatives->items = calloc(count + 1, sizeof *relatives->items);
    if (!relatives->items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct relative *relative = &relatives->items[relatives->count];
        relative->pid = pids[i];
        relatives->count += proc_read_stat(pids[i], 0, &relative->stat) == 0;
    }
    return 0;
}

static int by_parent(const void *left, const void *right)
{
    const struct relative *a = left;
    const struct relative *b = right;
    if (a->stat.parent != b->stat.parent)
        return a->stat.parent < b->stat.parent ? -1 : 1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

/* The first that has this parent, or one of another. */
static size_t first_child(const struct relatives *relatives, pid_t parent)
{
    size_t low = 0, high = relatives->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (relatives->items[middle].stat.parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Each process has one parent, and so it is added once: the loop ends, whatever pids do meanwhile.
 */
static int add_children(const struct relatives *relatives, pid_t parent, size_t *capacity,
                        uint64_t *ticks, struct descendants *found)
{
    for (size_t i = first_child(relatives, parent);
         i < relatives->count && relatives->items[i].stat.parent == parent; i++) {
        const struct relative *child = &relatives->items[i];
        *ticks += child->stat.own_ticks + child->stat.waited_ticks;
        if (found->count == DESCENDANTS_MAX || proc_has_ended(child->pid, &child->stat))
            continue;
        if (array_reserve(&found->pids, capacity, found->count + 1, sizeof *found->pids))
            return -ENOMEM;
        found->pids[found->count++] = child->pid;
    }
    return 0;
}

int descendants_read(pid_t pid, struct descendants *ret_descendants)
{
    _cleanup_(relatives_clear) struct relatives relatives = {0};
    _cleanup_(descendants_clear) struct descendants found = {0};
    struct proc_stat own;
    size_t capacity = 0;
    int error = proc_read_stat(pid, 0, &own);
    if (error)
        return error == -ENOENT ? -ESRCH : error;
    error = read_relatives(&relatives);
    if (error)
        return error;
    if (relatives.count > 0)
        qsort(relatives.items, relatives.count, sizeof *relatives.items, by_parent);
    uint64_t ticks = own.waited_ticks;
    error = add_children(&relatives, pid, &capacity, &ticks, &found);
    for (size_t i = 0; i < found.count && !error; i++)
        error = add_children(&relatives, found.pids[i], &capacity, &ticks, &found);
    if (error)
        return error;
    long ticks_hz = sysconf(_SC_CLK_TCK);
    found.cpu_ns = ticks_hz > 0 ? ticks * (NS_PER_SECOND / (uint64_t)ticks_hz) : 0;
    *ret_descendants = found;
    found = (struct descendants){0};
    return 0;
}

void descendants_clear(struct descendants *descendants)
{
    free(descendants->pids);
    *descendants = (struct descendants){0};
}
