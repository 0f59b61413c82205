/* A smaller trie: which stacks are kept, and their new numbers. */
#include "aggregate/compaction.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Node 0 is the root of both tries; as the number of any other node it means that there is none. */
#define NODE_NONE 0

struct compaction {
    struct stack_trie *from, *to; /* references */
    struct bucket_store *buckets; /* borrowed */
    uint32_t *numbers;            /* owned; in `to`, by the numbers in `from` */
    uint32_t count;               /* of `numbers`, the nodes that `from` had */
    uint64_t drop_until_ns;
    pthread_t thread;
    bool joined;
    int error;
    atomic_bool done;
};

struct snapshot {
    struct sealed_bucket **buckets; /* owned array of references */
    size_t count;
};

static void snapshot_clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        bucket_release(snapshot->buckets[i]);
    free(snapshot->buckets);
}

static int snapshot_take(struct bucket_store *store, struct snapshot *ret_snapshot)
{
    uint64_t end_ns, knows_since_ns;
    return bucket_store_snapshot(store, &ret_snapshot->buckets, &ret_snapshot->count, &end_ns,
                                 &knows_since_ns);
}

/* By node: 1 + the position of the newest bucket that has it or something it called; 0: none. */
static void find_newest(const struct compaction *compaction, const struct snapshot *snapshot,
                        uint32_t *newest)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct bucket *bucket = &snapshot->buckets[i]->bucket;
        for (size_t j = 0; j < bucket->count; j++)
            if (bucket->entries[j].node < compaction->count)
                newest[bucket->entries[j].node] = (uint32_t)i + 1;
    }
    for (uint32_t node = compaction->count - 1; node > 0; node--) {
        uint32_t parent = stack_trie_node(compaction->from, node).parent;
        if (newest[parent] < newest[node])
            newest[parent] = newest[node];
    }
}

/* The position of the oldest bucket to keep, so that half of the nodes at most are; one is kept. */
static size_t choose_oldest(const struct compaction *compaction, const struct snapshot *snapshot,
                            const uint32_t *newest, size_t *nodes_of)
{
    for (uint32_t node = 1; node < compaction->count; node++)
        nodes_of[newest[node]]++;
    size_t oldest = snapshot->count, kept = 0;
    while (oldest > 0 && (kept += nodes_of[oldest]) <= compaction->count / 2)
        oldest--;
    return oldest == snapshot->count && oldest > 0 ? oldest - 1 : oldest;
}

/* Copies nodes whose newest bucket is kept; their numbers take the place of its position. */
static int copy_nodes(struct compaction *compaction, size_t oldest)
{
    uint32_t *numbers = compaction->numbers;
    numbers[0] = 0;
    for (uint32_t i = 1; i < compaction->count; i++) {
        bool is_kept = numbers[i] > oldest;
        struct trie_node node = stack_trie_node(compaction->from, i);
        numbers[i] = NODE_NONE;
        int error = is_kept ? stack_trie_find_child(compaction->to, numbers[node.parent],
                                                    node.location, &numbers[i])
                            : 0;
        if (error)
            return error;
    }
    return 0;
}

static int compact(struct compaction *compaction)
{
    _cleanup_(snapshot_clear) struct snapshot snapshot = {0};
    int error = snapshot_take(compaction->buckets, &snapshot);
    if (error)
        return error;
    _cleanup_free_ size_t *nodes_of = calloc(snapshot.count + 1, sizeof *nodes_of);
    compaction->numbers = calloc(compaction->count, sizeof *compaction->numbers);
    if (!nodes_of || !compaction->numbers)
        return -ENOMEM;
    find_newest(compaction, &snapshot, compaction->numbers);
    size_t oldest = choose_oldest(compaction, &snapshot, compaction->numbers, nodes_of);
    compaction->drop_until_ns = oldest ? snapshot.buckets[oldest - 1]->bucket.end_ns : 0;
    return copy_nodes(compaction, oldest);
}

static void *compaction_main(void *user)
{
    struct compaction *compaction = user;
    /* Of this thread only (man page): the writer, which started it, may have a higher one. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)getpid()));
    compaction->error = compact(compaction);
    atomic_store(&compaction->done, true);
    return NULL;
}

int compaction_start(struct stack_trie *trie, struct bucket_store *buckets,
                     struct compaction **ret_compaction)
{
    struct compaction *compaction = calloc(1, sizeof *compaction);
    if (!compaction)
        return -ENOMEM;
    compaction->from = stack_trie_ref(trie);
    compaction->buckets = buckets;
    compaction->count = stack_trie_node_count(trie);
    int error = stack_trie_new(stack_trie_locations(trie), &compaction->to);
    if (!error)
        error = -pthread_create(&compaction->thread, NULL, compaction_main, compaction);
    if (error) {
        compaction->joined = true;
        compaction_free(compaction);
        return error;
    }
    *ret_compaction = compaction;
    return 0;
}

bool compaction_is_done(const struct compaction *compaction)
{
    return atomic_load(&compaction->done);
}

static void join(struct compaction *compaction)
{
    if (!compaction->joined)
        pthread_join(compaction->thread, NULL);
    compaction->joined = true;
}

/* Adds a node, and those of its callers that are not there. */
static int add_path(struct compaction *compaction, uint32_t node)
{
    uint32_t path[STACK_FRAMES_MAX + 1];
    size_t depth = 0;
    for (; node != 0 && compaction->numbers[node] == NODE_NONE;
         node = stack_trie_node(compaction->from, node).parent)
        path[depth++] = node;
    while (depth-- > 0) {
        struct trie_node next = stack_trie_node(compaction->from, path[depth]);
        int error = stack_trie_find_child(compaction->to, compaction->numbers[next.parent],
                                          next.location, &compaction->numbers[path[depth]]);
        if (error)
            return error;
    }
    return 0;
}

/* What was sampled while the thread worked; also stacks that it left out and that came back. */
static int add_rest(struct compaction *compaction)
{
    uint32_t count = stack_trie_node_count(compaction->from);
    uint32_t *more = realloc(compaction->numbers, count * sizeof *more);
    if (!more)
        return -ENOMEM;
    memset(more + compaction->count, 0, (count - compaction->count) * sizeof *more);
    compaction->numbers = more;
    compaction->count = count;
    _cleanup_(snapshot_clear) struct snapshot snapshot = {0};
    int error = snapshot_take(compaction->buckets, &snapshot);
    for (size_t i = 0; i < snapshot.count && !error; i++) {
        const struct bucket *bucket = &snapshot.buckets[i]->bucket;
        for (size_t j = 0; j < bucket->count && !error; j++)
            if (bucket->end_ns > compaction->drop_until_ns)
                error = add_path(compaction, bucket->entries[j].node);
    }
    return error;
}

int compaction_finish(struct compaction *compaction, struct stack_trie **ret_trie)
{
    join(compaction);
    int error = compaction->error ? compaction->error : add_rest(compaction);
    if (!error)
        error = bucket_store_renumber(compaction->buckets, compaction->drop_until_ns,
                                      compaction->numbers);
    if (!error)
        *ret_trie = stack_trie_ref(compaction->to);
    return error;
}

void compaction_free(struct compaction *compaction)
{
    if (!compaction)
        return;
    join(compaction);
    stack_trie_unref(compaction->from);
    stack_trie_unref(compaction->to);
    free(compaction->numbers);
    free(compaction);
}
