/*
 * queries NODES: builds a profile of so many trie nodes from pseudo-random stacks and prints, as
 * JSON, what CPU time the function table, the line tables and flame graphs of it take (ns, each of
 * 5 turns; as the page asks first, bottom-up, and the 5,000 largest nodes): each is the work of one
 * thread, whatever else the machine does meanwhile. Trie and queries are the real ones; names and
 * lines are made up, as in the unit tests.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lprofd/query.h"

#define FUNCTIONS 20000u
#define LINES_EACH 8u /* places of a function that are called or sampled */
#define FILES 500u
#define DEPTH_MAX 60u
#define TURNS 5

struct symbols {
    struct frame frames[FUNCTIONS * LINES_EACH + 1];
};

static struct symbols symbols;
static struct stack_locations *locations;
static struct stack_trie *trie;
static char names[FUNCTIONS + 1][16];

void symbols_lock_shared(const struct symbols *unused)
{
    (void)unused;
}

void symbols_unlock(const struct symbols *unused)
{
    (void)unused;
}

struct frame_span symbols_frames(const struct symbols *self, uint32_t location)
{
    const struct frame *frame = &self->frames[stack_trie_location(trie, location).vaddr];
    return (struct frame_span){frame, 1, SYMBOL_LINE};
}

struct symbol_function symbols_function(const struct symbols *self, uint32_t id)
{
    (void)self;
    return (struct symbol_function){names[id], 1, id % FILES + 1, id / FILES * 100 + 1};
}

struct symbol_file symbols_file(const struct symbols *self, uint32_t id)
{
    (void)self;
    return (struct symbol_file){.path = names[id], .directory = "", .module = 1};
}

uint32_t symbols_function_count(const struct symbols *self)
{
    (void)self;
    return FUNCTIONS + 1;
}

uint32_t symbols_file_count(const struct symbols *self)
{
    (void)self;
    return FILES + 1;
}

const struct module *profile_view_module(const struct profile_view *view, uint32_t id)
{
    static const struct module modules[] = {{.kind = MODULE_NONE},
                                            {.id = 1, .kind = MODULE_FILE, .path = "/bin/made"}};
    (void)view;
    return &modules[id];
}

static uint32_t random_number(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static void make_symbols(void)
{
    for (uint32_t i = 0; i <= FUNCTIONS; i++)
        snprintf(names[i], sizeof names[i], "function_%u", i);
    for (uint32_t i = 0; i < FUNCTIONS * LINES_EACH; i++) {
        uint32_t function = i / LINES_EACH + 1;
        symbols.frames[i + 1] = (struct frame){function, function % FILES + 1,
                                               function / FILES * 100 + i % LINES_EACH + 1, 1};
    }
}

/* Stacks share their root-most frames, as real ones do: half a dozen ways on from each call. */
static uint32_t make_stack(struct raw_frame *frames)
{
    uint32_t depth = 5 + random_number() % (DEPTH_MAX - 5);
    uint32_t place = 1;
    for (uint32_t i = depth; i-- > 0;) {
        uint32_t branch = random_number() % 6;
        place = (place * 2654435761u + branch * 40503u + 12345u) % (FUNCTIONS * LINES_EACH);
        frames[i] = (struct raw_frame){1, i > 0, place + 1};
    }
    return depth;
}

static int compare(const void *left, const void *right)
{
    const struct bucket_entry *a = left, *b = right;
    return a->node < b->node ? -1 : a->node > b->node;
}

/* One sample for each stack; a bucket names no node twice. */
static struct bucket *make_bucket(uint32_t nodes)
{
    size_t capacity = nodes;
    struct bucket *bucket =
        malloc(sizeof *bucket + capacity * sizeof bucket->entries[0]); /* 24 MB for a million */
    if (!bucket)
        exit(1);
    *bucket = (struct bucket){.start_ns = 0, .end_ns = 100000000};
    uint32_t last = 0;
    while (stack_trie_node_count(trie) < nodes && bucket->count < capacity) {
        struct raw_frame frames[DEPTH_MAX];
        uint32_t node = 0, depth = make_stack(frames);
        if (stack_trie_add(trie, frames, depth, &node))
            exit(1);
        if (node <= last)
            continue; /* known already */
        last = node;
        bucket->entries[bucket->count++] = (struct bucket_entry){node, 0, 1, 1000000};
    }
    qsort(bucket->entries, bucket->count, sizeof bucket->entries[0], compare);
    return bucket;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int ask(size_t which, const struct profile_view *view, size_t *ret_rows)
{
    struct query_options options = {.sort = QUERY_SORT_TOTAL};
    static const struct query_flamegraph_options shapes[] = {
        {.min_percent = 0.1}, {.min_percent = 0.1, .inverted = true}, {.max_nodes = 5000}};
    struct query_functions *functions = NULL;
    struct query_file_functions *file = NULL;
    struct query_lines *lines = NULL;
    struct query_flamegraph *graph = NULL;
    int error = which == 0   ? query_functions(view, &options, &functions)
                : which == 1 ? query_lines(view, &options, &lines)
                : which == 2 ? query_lines_by_thread(view, &options, &lines)
                : which == 3 ? query_file_functions(view, &options, 1, &file)
                             : query_flamegraph(view, &options, &shapes[which - 4], &graph);
    if (!error)
        *ret_rows = functions ? functions->count
                    : lines   ? lines->count
                    : file    ? file->count
                              : graph->count;
    query_functions_free(functions);
    query_lines_free(lines);
    query_file_functions_free(file);
    query_flamegraph_free(graph);
    return error;
}

int main(int argc, char **argv)
{
    static const char *const labels[] = {"functions",      "lines",      "lines_by_thread",
                                         "file_functions", "flamegraph", "inverted",
                                         "pruned"};
    uint32_t nodes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    if (stack_locations_new(&locations) || stack_trie_new(locations, &trie))
        return 1;
    make_symbols();
    uint64_t start = now_ns();
    struct bucket *bucket = make_bucket(nodes);
    uint64_t made_ns = now_ns() - start;
    const struct bucket *buckets[] = {bucket};
    struct profile_thread thread = {.pid = 1, .tid = 1, .hits = bucket->count};
    struct profile_view view = {.trie = trie,
                                .symbols = &symbols,
                                .node_count = stack_trie_node_count(trie),
                                .module_count = 2,
                                .buckets = buckets,
                                .bucket_count = 1,
                                .threads = &thread,
                                .thread_count = 1,
                                .duration_ns = 100000000,
                                .period_ns = 1000000,
                                .hits = bucket->count,
                                .sampled_ns = bucket->count * 1000000,
                                .accounted_ns = bucket->count * 1000000};
    printf("{\"nodes\":%u,\"stacks\":%zu,\"trie_bytes\":%zu,\"made_ns\":%" PRIu64, view.node_count,
           bucket->count, stack_trie_bytes(trie), made_ns);
    for (size_t which = 0; which < sizeof labels / sizeof labels[0]; which++) {
        size_t rows = 0;
        printf(",\"%s_ns\":[", labels[which]);
        for (int turn = 0; turn < TURNS; turn++) {
            start = now_ns();
            if (ask(which, &view, &rows))
                return 1;
            printf("%s%" PRIu64, turn ? "," : "", now_ns() - start);
        }
        printf("],\"%s_rows\":%zu", labels[which], rows);
    }
    printf("}\n");
    free(bucket);
    stack_trie_unref(trie);
    stack_locations_unref(locations);
    return 0;
}
