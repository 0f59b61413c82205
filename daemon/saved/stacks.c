/* Stacks and counts as packed columns. */
#include "saved/stacks.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "saved/budget.h"

/* What a node takes: itself, and its depth while reading. */
#define NODE_BYTES (sizeof(struct trie_node) + sizeof(uint16_t))
/* What a location takes: itself, and what is published of it. */
#define LOCATION_BYTES (sizeof(struct raw_frame) + 8)
/* Arrays that grow by doubling hold up to twice what is in them. */
#define GROWTH 2

/* --- writing ---------------------------------------------------------------------------------- */

static void write_location(const struct profile_view *view, uint32_t id,
                           struct column_writer *columns)
{
    struct raw_frame raw = stack_trie_location(view->trie, id);
    struct frame_span span = symbols_frames(view->symbols, id);
    column_add(&columns[COLUMN_LOCATION_MODULE], raw.module);
    column_add(&columns[COLUMN_LOCATION_VADDR], raw.vaddr);
    column_add(&columns[COLUMN_LOCATION_FLAGS], raw.is_return_address + 2u * span.status);
    column_add(&columns[COLUMN_LOCATION_FRAMES], span.count);
    for (uint32_t i = 0; i < span.count; i++) {
        column_add(&columns[COLUMN_FRAME_FUNCTION], span.frames[i].function);
        column_add(&columns[COLUMN_FRAME_FILE], span.frames[i].file);
        column_add(&columns[COLUMN_FRAME_LINE], span.frames[i].line);
        column_add(&columns[COLUMN_FRAME_COLUMN], span.frames[i].column);
    }
}

static void write_bucket(const struct bucket *bucket, struct column_writer *columns)
{
    column_add(&columns[COLUMN_BUCKET_START], bucket->start_ns);
    column_add(&columns[COLUMN_BUCKET_END], bucket->end_ns);
    column_add(&columns[COLUMN_BUCKET_ENTRIES], bucket->count);
    for (size_t i = 0; i < bucket->count; i++) {
        column_add(&columns[COLUMN_ENTRY_NODE], bucket->entries[i].node);
        column_add(&columns[COLUMN_ENTRY_THREAD], bucket->entries[i].thread);
        column_add(&columns[COLUMN_ENTRY_HITS], bucket->entries[i].hits);
        column_add(&columns[COLUMN_ENTRY_WEIGHT], bucket->entries[i].weight_ns);
    }
}

void stacks_write(const struct profile_view *view, struct column_writer *columns)
{
    /* Locations only grow: those that came after the view are no node's of it. */
    uint32_t locations = stack_trie_location_count(view->trie);
    for (uint32_t i = 0; i < locations; i++)
        write_location(view, i, columns);
    for (uint32_t i = 1; i < view->node_count; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        column_add(&columns[COLUMN_NODE_PARENT], node.parent);
        column_add(&columns[COLUMN_NODE_LOCATION], node.location);
    }
    for (size_t i = 0; i < view->bucket_count; i++)
        write_bucket(view->buckets[i], columns);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_frames(struct column *columns, struct saved_profile *profile, uint32_t location,
                       size_t count, enum symbol_status status)
{
    struct frame frames[SYMBOL_FRAMES_MAX];
    for (size_t i = 0; i < count; i++)
        frames[i] = (struct frame){
            .function = (uint32_t)column_next_below(&columns[COLUMN_FRAME_FUNCTION], UINT32_MAX),
            .file = (uint32_t)column_next_below(&columns[COLUMN_FRAME_FILE], UINT32_MAX),
            .line = (uint32_t)column_next_below(&columns[COLUMN_FRAME_LINE], 1ull << 32),
            .column = (uint32_t)column_next_below(&columns[COLUMN_FRAME_COLUMN], 1ull << 32),
        };
    int error = symbols_restore_location(profile->symbols, location, frames, count, status);
    return error == -EINVAL ? -EBADMSG : error;
}

/* What is no module's is an end of a stack, of which there are few. */
static bool is_sound(const struct raw_frame *raw)
{
    return raw->module != 0 || raw->vaddr < STACK_END_COUNT;
}

static int read_location(struct column *columns, struct saved_profile *profile, uint32_t id)
{
    struct raw_frame raw = {
        .module =
            (uint32_t)column_next_below(&columns[COLUMN_LOCATION_MODULE], profile->module_count),
        .vaddr = column_next(&columns[COLUMN_LOCATION_VADDR]),
    };
    uint64_t flags = column_next_below(&columns[COLUMN_LOCATION_FLAGS], 2 * SYMBOL_STATUS_COUNT);
    size_t count = column_next_below(&columns[COLUMN_LOCATION_FRAMES], SYMBOL_FRAMES_MAX + 1);
    raw.is_return_address = flags & 1;
    if (!is_sound(&raw))
        return -EBADMSG;
    int error = stack_locations_append(profile->locations, &raw);
    return error ? error
                 : read_frames(columns, profile, id, count, (enum symbol_status)(flags >> 1));
}

static int read_locations(struct column *columns, struct budget *budget,
                          struct saved_profile *profile)
{
    uint64_t count = columns[COLUMN_LOCATION_MODULE].count;
    int error = budget_take(budget, count, GROWTH * LOCATION_BYTES);
    if (!error)
        error = budget_take(budget, columns[COLUMN_FRAME_FUNCTION].count,
                            GROWTH * sizeof(struct frame));
    for (uint64_t i = 0; i < count && !error; i++)
        error = read_location(columns, profile, (uint32_t)i);
    return error;
}

/* No stack is deeper than those that are made here: queries take no care of deeper ones. */
static int read_nodes(struct column *columns, struct budget *budget, struct saved_profile *profile)
{
    uint64_t count = columns[COLUMN_NODE_PARENT].count;
    int error = budget_take(budget, count, GROWTH * NODE_BYTES);
    if (error)
        return error;
    _cleanup_free_ uint16_t *depths = calloc(count + 1, sizeof *depths);
    if (!depths)
        return -ENOMEM;
    for (uint64_t id = 1; id <= count && !error; id++) {
        struct trie_node node = {
            .parent = (uint32_t)column_next_below(&columns[COLUMN_NODE_PARENT], id),
            .location = (uint32_t)column_next_below(&columns[COLUMN_NODE_LOCATION], UINT32_MAX),
        };
        depths[id] = (uint16_t)(depths[node.parent] + 1);
        error = depths[id] > STACK_FRAMES_MAX + 1 ? -EBADMSG
                                                  : stack_trie_append_node(profile->trie, node);
    }
    return error == -EINVAL ? -EBADMSG : error;
}

/* Sums of what the buckets hold: more than the session counted is wrong. */
struct sums {
    uint64_t hits, weight_ns;
};

static bool is_ascending(const struct bucket_entry *entries, size_t at)
{
    if (at == 0)
        return true;
    const struct bucket_entry *before = &entries[at - 1], *entry = &entries[at];
    return before->node < entry->node ||
           (before->node == entry->node && before->thread < entry->thread);
}

static int read_entries(struct column *columns, const struct saved_profile *profile,
                        struct bucket_entry *entries, size_t count, struct sums *sums)
{
    uint32_t nodes = stack_trie_node_count(profile->trie);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct bucket_entry){
            .node = (uint32_t)column_next_below(&columns[COLUMN_ENTRY_NODE], nodes),
            .thread =
                (uint32_t)column_next_below(&columns[COLUMN_ENTRY_THREAD], profile->thread_count),
            .hits = (uint32_t)column_next_below(&columns[COLUMN_ENTRY_HITS], 1ull << 32),
            .weight_ns = column_next_below(&columns[COLUMN_ENTRY_WEIGHT], SUM_LIMIT),
        };
        sums->hits += entries[i].hits;
        sums->weight_ns += entries[i].weight_ns;
        if (!is_ascending(entries, i) || columns[COLUMN_ENTRY_WEIGHT].reader.failed ||
            sums->hits > profile->info.samples.total || sums->weight_ns > profile->info.sampled_ns)
            return -EBADMSG;
    }
    return 0;
}

struct scratch {
    struct bucket_entry *entries; /* owned */
    size_t capacity;
};

static int read_bucket(struct column *columns, struct budget *budget, struct scratch *scratch,
                       struct sums *sums, uint64_t *end_ns, struct saved_profile *profile)
{
    struct bucket bucket = {
        .start_ns = column_next_below(&columns[COLUMN_BUCKET_START], SUM_LIMIT),
        .end_ns = column_next_below(&columns[COLUMN_BUCKET_END], SUM_LIMIT),
        .count = column_next(&columns[COLUMN_BUCKET_ENTRIES]),
    };
    if (bucket.start_ns < *end_ns || bucket.end_ns < bucket.start_ns ||
        bucket.end_ns > profile->info.duration_ns)
        return -EBADMSG;
    int error = budget_take(budget, 1, sizeof(struct sealed_bucket) + 2 * sizeof(void *));
    if (!error)
        error = budget_take(budget, bucket.count, sizeof(struct bucket_entry));
    if (error)
        return error;
    if (array_reserve(&scratch->entries, &scratch->capacity, bucket.count,
                      sizeof(struct bucket_entry)))
        return -ENOMEM;
    error = read_entries(columns, profile, scratch->entries, bucket.count, sums);
    *end_ns = bucket.end_ns;
    return error ? error : bucket_store_append(profile->buckets, &bucket, scratch->entries);
}

static int read_buckets(struct column *columns, struct budget *budget,
                        struct saved_profile *profile)
{
    struct scratch scratch = {0};
    struct sums sums = {0};
    uint64_t end_ns = 0;
    int error = 0;
    for (uint64_t i = 0; i < columns[COLUMN_BUCKET_START].count && !error; i++)
        error = read_bucket(columns, budget, &scratch, &sums, &end_ns, profile);
    free(scratch.entries);
    struct bucket_losses losses = {
        .knows_since_ns = profile->info.knows_since_ns,
        .forgotten_hits = profile->info.samples.total - sums.hits,
    };
    bucket_store_set_range(profile->buckets, &losses, profile->info.duration_ns);
    return error;
}

/* A number takes a byte at least: counts that no bytes stand behind would let us loop for ever. */
static bool counts_are_sound(const struct column *columns)
{
    static const enum column_id leaders[COLUMN_COUNT] = {
        [COLUMN_LOCATION_MODULE] = COLUMN_LOCATION_MODULE,
        [COLUMN_LOCATION_VADDR] = COLUMN_LOCATION_MODULE,
        [COLUMN_LOCATION_FLAGS] = COLUMN_LOCATION_MODULE,
        [COLUMN_LOCATION_FRAMES] = COLUMN_LOCATION_MODULE,
        [COLUMN_FRAME_FUNCTION] = COLUMN_FRAME_FUNCTION,
        [COLUMN_FRAME_FILE] = COLUMN_FRAME_FUNCTION,
        [COLUMN_FRAME_LINE] = COLUMN_FRAME_FUNCTION,
        [COLUMN_FRAME_COLUMN] = COLUMN_FRAME_FUNCTION,
        [COLUMN_NODE_PARENT] = COLUMN_NODE_PARENT,
        [COLUMN_NODE_LOCATION] = COLUMN_NODE_PARENT,
        [COLUMN_BUCKET_START] = COLUMN_BUCKET_START,
        [COLUMN_BUCKET_END] = COLUMN_BUCKET_START,
        [COLUMN_BUCKET_ENTRIES] = COLUMN_BUCKET_START,
        [COLUMN_ENTRY_NODE] = COLUMN_ENTRY_NODE,
        [COLUMN_ENTRY_THREAD] = COLUMN_ENTRY_NODE,
        [COLUMN_ENTRY_HITS] = COLUMN_ENTRY_NODE,
        [COLUMN_ENTRY_WEIGHT] = COLUMN_ENTRY_NODE,
    };
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (columns[i].count > columns[i].reader.length ||
            columns[i].count != columns[leaders[i]].count || columns[i].count >= UINT32_MAX - 1)
            return false;
    return true;
}

int stacks_read(struct column *columns, struct budget *budget, struct saved_profile *profile)
{
    if (!counts_are_sound(columns))
        return -EBADMSG;
    int error = read_locations(columns, budget, profile);
    if (!error)
        error = read_nodes(columns, budget, profile);
    if (!error)
        error = read_buckets(columns, budget, profile);
    for (size_t i = 0; i < COLUMN_COUNT && !error; i++)
        error = column_is_finished(&columns[i]) ? 0 : -EBADMSG;
    return error;
}
