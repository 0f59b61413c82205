/* What is still to be done of a flame graph: the newest task first, or the largest. */
#include "query/flame_tasks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static bool is_larger(const struct flame_task *left, const struct flame_task *right)
{
    if (left->total.time_ns != right->total.time_ns)
        return left->total.time_ns > right->total.time_ns;
    return left->total.hits > right->total.hits;
}

int flame_tasks_push(struct flame_tasks *tasks, struct flame_task task)
{
    if (array_reserve(&tasks->items, &tasks->capacity, tasks->count + 1, sizeof task))
        return -ENOMEM;
    size_t at = tasks->count++;
    for (size_t above; tasks->largest_first && at; at = above) {
        above = (at - 1) / 2;
        if (!is_larger(&task, &tasks->items[above]))
            break;
        tasks->items[at] = tasks->items[above];
    }
    tasks->items[at] = task;
    return 0;
}

struct flame_task flame_tasks_pop(struct flame_tasks *tasks)
{
    struct flame_task *items = tasks->items, last = items[--tasks->count];
    size_t count = tasks->count, at = 0;
    if (!tasks->largest_first || !count)
        return last;
    struct flame_task largest = items[0];
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && is_larger(&items[below + 1], &items[below]))
            below++;
        if (!is_larger(&items[below], &last))
            break;
        items[at] = items[below];
    }
    items[at] = last;
    return largest;
}

void flame_tasks_clear(struct flame_tasks *tasks)
{
    free(tasks->items);
    *tasks = (struct flame_tasks){0};
}
