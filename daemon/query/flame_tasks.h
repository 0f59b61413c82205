/* What is still to be done of a flame graph: the newest task first, or the largest. */
#pragma once

#include "query/cost.h"

/* A node of the graph that is to be made, and where the members it merges are. */
struct flame_task {
    uint32_t parent, key;
    uint32_t first_member, member_count;
    struct query_count total;
};

struct flame_tasks {
    bool largest_first;
    struct flame_task *items; /* owned; a stack, or a heap */
    size_t count, capacity;
};

/* 0 or -ENOMEM. */
int flame_tasks_push(struct flame_tasks *tasks, struct flame_task task);
/* There must be one. O(1), or O(log tasks) with largest_first. */
struct flame_task flame_tasks_pop(struct flame_tasks *tasks);
void flame_tasks_clear(struct flame_tasks *tasks);
