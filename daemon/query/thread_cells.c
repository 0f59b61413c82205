/* Costs by row and thread. */
#include "query/thread_cells.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"
#include "query/thread_rank.h"

#define THREADS_MAX 256
#define CELLS_MAX 1000000

/* All samples of a thread with one stack. */
struct stack {
    uint32_t node, thread;
    struct query_count count;
};

/* A row while a thread is counted. */
struct sums {
    struct query_count self, total;
    uint32_t stack; /* number of the stack that counted it last, from 1 */
    bool touched;
};

struct counter {
    const struct profile_view *view;
    const struct query_frames *frames;
    const uint32_t *row_of_frame;
    uint32_t row_of_none;
    struct stack *stacks; /* owned; distinct */
    size_t stack_count, stack_capacity;
    struct index index; /* of the stacks */
    struct stack wanted;
    uint32_t *threads; /* owned; busiest first */
    size_t thread_count;
    uint32_t *order;     /* owned; stacks by group */
    size_t *group_first; /* owned; in the order, per group, and its end */
    size_t group_count;
    struct sums *rows; /* owned */
    uint32_t *touched; /* owned; rows */
    size_t touched_count;
    uint32_t numbered; /* stacks so far */
    struct thread_cells cells;
};

static void counter_clear(struct counter *counter)
{
    free(counter->stacks);
    index_clear(&counter->index);
    free(counter->threads);
    free(counter->order);
    free(counter->group_first);
    free(counter->rows);
    free(counter->touched);
    thread_cells_clear(&counter->cells);
}

#define _cleanup_counter_ __attribute__((cleanup(counter_clear)))

/* --- distinct stacks -------------------------------------------------------------------------- */

static bool same_stack(const void *user, uint32_t position)
{
    const struct counter *counter = user;
    const struct stack *stack = &counter->stacks[position];
    return stack->node == counter->wanted.node && stack->thread == counter->wanted.thread;
}

static uint64_t hash_stack(const void *user, uint32_t position)
{
    const struct stack *stack = &((const struct counter *)user)->stacks[position];
    return hash_pair(stack->node, stack->thread);
}

static int add_stack(struct counter *counter, struct stack stack)
{
    uint64_t hash = hash_pair(stack.node, stack.thread);
    counter->wanted = stack;
    uint32_t position = index_find(&counter->index, hash, same_stack, counter);
    if (position != INDEX_EMPTY) {
        query_count_add(&counter->stacks[position].count, stack.count);
        return 0;
    }
    if (counter->stack_count >= INDEX_EMPTY - 1 ||
        array_reserve(&counter->stacks, &counter->stack_capacity, counter->stack_count + 1,
                      sizeof stack))
        return -ENOMEM;
    counter->stacks[counter->stack_count] = stack;
    return index_add(&counter->index, hash, (uint32_t)counter->stack_count++, hash_stack, counter);
}

static int collect_stacks(struct counter *counter, const struct query_filter *filter)
{
    const struct profile_view *view = counter->view;
    int error = 0;
    for (size_t i = 0; i < view->bucket_count && !error; i++) {
        const struct bucket *bucket = view->buckets[i];
        if (!query_filter_bucket(filter, bucket))
            continue;
        for (size_t j = 0; j < bucket->count && !error; j++) {
            const struct bucket_entry *entry = &bucket->entries[j];
            struct query_count count = {entry->hits, query_filter_time_ns(filter, entry)};
            if (query_filter_entry(filter, entry))
                error = add_stack(counter, (struct stack){entry->node, entry->thread, count});
        }
    }
    return error;
}

/* --- groups: the busiest threads, and one of all others --------------------------------------- */

/* Puts the stacks in the order of their groups, by counting. */
static int order_stacks(struct counter *counter)
{
    size_t thread_count = counter->view->thread_count;
    size_t shown = counter->thread_count < THREADS_MAX ? counter->thread_count : THREADS_MAX;
    _cleanup_free_ uint32_t *group_of = malloc((thread_count + 1) * sizeof *group_of);
    counter->group_count = shown + 1;
    counter->group_first = calloc(counter->group_count + 2, sizeof *counter->group_first);
    counter->order = calloc(counter->stack_count + 1, sizeof *counter->order);
    if (!group_of || !counter->group_first || !counter->order)
        return -ENOMEM;
    for (size_t i = 0; i < thread_count; i++)
        group_of[i] = (uint32_t)shown;
    for (size_t i = 0; i < shown; i++)
        group_of[counter->threads[i]] = (uint32_t)i;

    /* Two further on, so that filling moves each group's end to where the next one begins. */
    size_t *next = counter->group_first + 1;
    for (size_t i = 0; i < counter->stack_count; i++)
        next[group_of[counter->stacks[i].thread] + 1]++;
    for (size_t i = 1; i <= counter->group_count; i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < counter->stack_count; i++)
        counter->order[next[group_of[counter->stacks[i].thread]]++] = (uint32_t)i;
    return 0;
}

/* --- counting --------------------------------------------------------------------------------- */

static struct sums *touch(struct counter *counter, uint32_t row)
{
    struct sums *sums = &counter->rows[row];
    if (!sums->touched)
        counter->touched[counter->touched_count++] = row;
    sums->touched = true;
    return sums;
}

/* A hidden frame's location has no frames: the sample is its caller's. */
static void count_stack(struct counter *counter, const struct stack *stack)
{
    const struct query_frames *frames = counter->frames;
    bool is_leaf = true;
    counter->numbered++;
    for (uint32_t at = stack->node; at;) {
        struct trie_node node = stack_trie_node(counter->view->trie, at);
        for (uint32_t i = frames->first[node.location]; i < frames->first[node.location + 1]; i++) {
            struct sums *sums = touch(counter, counter->row_of_frame[i]);
            if (is_leaf)
                query_count_add(&sums->self, stack->count);
            if (sums->stack != counter->numbered)
                query_count_add(&sums->total, stack->count);
            sums->stack = counter->numbered;
            is_leaf = false;
        }
        at = node.parent;
    }
    if (is_leaf) {
        struct sums *sums = touch(counter, counter->row_of_none);
        query_count_add(&sums->self, stack->count);
        query_count_add(&sums->total, stack->count);
    }
}

/* Moves what was counted to cells of the thread. */
static int take_cells(struct counter *counter, uint32_t thread)
{
    struct thread_cells *cells = &counter->cells;
    if (array_reserve(&cells->items, &cells->capacity, cells->count + counter->touched_count,
                      sizeof *cells->items))
        return -ENOMEM;
    for (size_t i = 0; i < counter->touched_count; i++) {
        uint32_t row = counter->touched[i];
        struct sums *sums = &counter->rows[row];
        if (row)
            cells->items[cells->count++] =
                (struct thread_cell){row, thread, sums->self, sums->total};
        *sums = (struct sums){0};
    }
    counter->touched_count = 0;
    return 0;
}

static int count_groups(struct counter *counter)
{
    int error = 0;
    for (size_t group = 0; group < counter->group_count && !error; group++) {
        size_t first = counter->group_first[group], end = counter->group_first[group + 1];
        bool is_last = group + 1 == counter->group_count || counter->cells.count > CELLS_MAX;
        if (is_last) {
            end = counter->stack_count;
            counter->cells.other_threads = counter->thread_count - group;
            group = counter->group_count - 1;
        }
        for (size_t i = first; i < end; i++)
            count_stack(counter, &counter->stacks[counter->order[i]]);
        error = take_cells(counter, is_last ? QUERY_OTHER_THREADS : counter->threads[group]);
    }
    return error;
}

int thread_cells_count(const struct profile_view *view, const struct query_options *options,
                       const struct query_frames *frames, const uint32_t *row_of_frame,
                       uint32_t row_count, uint32_t row_of_none, struct thread_cells *ret_cells)
{
    _cleanup_query_filter_ struct query_filter filter;
    int error = query_filter_init(&filter, view, options);
    if (error)
        return error;
    _cleanup_counter_ struct counter counter = {
        .view = view,
        .frames = frames,
        .row_of_frame = row_of_frame,
        .row_of_none = row_of_none,
        .rows = calloc(row_count + 1ul, sizeof *counter.rows),
        .touched = malloc((row_count + 1ul) * sizeof *counter.touched),
    };
    if (!counter.rows || !counter.touched)
        return -ENOMEM;
    error = query_rank_threads(view, &filter, &counter.threads, &counter.thread_count);
    if (!error)
        error = collect_stacks(&counter, &filter);
    if (!error)
        error = order_stacks(&counter);
    if (!error)
        error = count_groups(&counter);
    if (error)
        return error;
    *ret_cells = counter.cells;
    counter.cells = (struct thread_cells){0};
    return 0;
}

void thread_cells_clear(struct thread_cells *cells)
{
    free(cells->items);
    *cells = (struct thread_cells){0};
}
