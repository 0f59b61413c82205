/* Asks a unit everything, and writes down what it answers. */
#include "symbol/stored_unit_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "symbol/disk_cache.h"
#include "symbol/stored_unit.h"

/* A question takes about a microsecond; but names may be as long as whoever wrote them likes. */
#define STEP_NS (4 * NS_PER_MS)
#define WORK_NS_MAX (30 * NS_PER_SECOND)
/* Some 100 MB while it is built. */
#define ADDRESSES_MAX ((size_t)2 << 20)

/* What functions of the unit are published as, in a store of its own. */
#define MODULE 0
/* Whose only function is "what the ELF symbol says": the first that is published. */
#define FALLBACK_MODULE 1
#define FALLBACK 1

enum stage { READING_CALLS, ASKING, COMPLETE };

struct stored_unit_build {
    struct unit *unit;               /* owned */
    const struct debug_image *image; /* borrowed, as symbols */
    const struct elf_symbols *symbols;
    struct store store;
    struct frame *frames; /* owned: room for one answer */
    enum stage stage;
    size_t next;                   /* position in what the stage goes through */
    uint64_t step_end_ns, work_ns; /* when this step ends; how long all of them took */
    uint64_t *addresses;           /* owned: where answers can change */
    size_t address_count, address_capacity;
    struct stored_row *rows; /* owned */
    size_t row_count, row_capacity;
    struct stored_node *nodes; /* owned */
    size_t node_count, node_capacity;
    struct index node_index;
};

static void free_build(struct stored_unit_build **build)
{
    stored_unit_build_free(*build);
}

int stored_unit_build_new(const struct unit_source *source, const struct unit_header *header,
                          struct stored_unit_build **ret_build)
{
    _cleanup_(free_build) struct stored_unit_build *build = NULL;
    struct unit *unit;
    uint32_t fallback;
    int error = unit_read(source, header, &unit);
    if (error)
        return error;
    build = calloc(1, sizeof *build);
    if (!build || store_init(&build->store)) {
        unit_free(unit);
        free(take_pointer(build));
        return -ENOMEM;
    }
    build->unit = unit;
    build->image = source->image;
    build->symbols = source->symbols;
    build->frames = calloc(FRAMES_PER_LOCATION_MAX, sizeof *build->frames);
    if (!build->frames || store_add_function(&build->store, "", FALLBACK_MODULE, 0, 0, &fallback))
        return -ENOMEM;
    if (unit->split || unit_is_damaged(unit))
        return -ENOTSUP;
    *ret_build = take_pointer(build);
    return 0;
}

void stored_unit_build_free(struct stored_unit_build *build)
{
    if (!build)
        return;
    unit_free(build->unit);
    store_free(&build->store);
    free(build->frames);
    free(build->addresses);
    free(build->rows);
    free(build->nodes);
    index_clear(&build->node_index);
    free(build);
}

/* --- where answers change ------------------------------------------------------------------- */

static int add_addresses(struct stored_unit_build *build, const uint64_t *vaddrs, size_t count)
{
    if (count > ADDRESSES_MAX - build->address_count)
        return -ENOTSUP;
    if (count == 0)
        return 0;
    if (array_reserve(&build->addresses, &build->address_capacity, build->address_count + count,
                      sizeof *build->addresses))
        return -ENOMEM;
    memcpy(build->addresses + build->address_count, vaddrs, count * sizeof *vaddrs);
    build->address_count += count;
    return 0;
}

static int add_row_addresses(struct stored_unit_build *build)
{
    const struct line_table *lines = &build->unit->lines;
    int error = 0;
    for (size_t i = 0; i < lines->count && !error; i++) {
        uint64_t vaddr = lines->base + lines->rows[i].offset;
        error = add_addresses(build, &vaddr, 1);
    }
    return error;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Rows of lines, functions, and what is inlined into each of them. */
static int find_addresses(struct stored_unit_build *build)
{
    const struct inline_tree *tree = &build->unit->tree;
    int error = add_row_addresses(build);
    if (!error)
        error = add_addresses(build, tree->map.starts, tree->map.count);
    for (size_t i = 0; i < tree->function_count && !error; i++)
        error = add_addresses(build, tree->functions[i].map.starts, tree->functions[i].map.count);
    if (error)
        return error;
    if (build->address_count)
        qsort(build->addresses, build->address_count, sizeof *build->addresses, compare);
    build->stage = ASKING;
    build->next = 0;
    return -EAGAIN;
}

static bool is_in_time(const struct stored_unit_build *build)
{
    return clock_monotonic_ns() < build->step_end_ns;
}

/* What is inlined into a function is read when an address of it is asked for. */
static int read_calls(struct stored_unit_build *build)
{
    struct inline_tree *tree = &build->unit->tree;
    uint32_t node;
    int error = 0;
    if (build->next == tree->map.count)
        return find_addresses(build);
    while (!error && build->next < tree->map.count && is_in_time(build))
        error = inline_tree_find(tree, tree->map.starts[build->next++], &node);
    if (!error && ((tree->function_count && tree->work_left == 0) || tree->is_damaged))
        return -ENOTSUP;
    return error ? error : -EAGAIN;
}

/* --- answers -------------------------------------------------------------------------------- */

struct wanted_node {
    const struct stored_unit_build *build;
    struct stored_node node;
};

static uint64_t node_hash(const struct stored_node *node)
{
    return hash_pair(
        hash_pair(hash_pair(node->function, node->file), hash_pair(node->line, node->column)),
        node->caller);
}

static uint64_t rehash_node(const void *user, uint32_t position)
{
    const struct stored_unit_build *build = user;
    return node_hash(&build->nodes[position]);
}

static bool node_equal(const void *user, uint32_t position)
{
    const struct wanted_node *wanted = user;
    const struct stored_node *have = &wanted->build->nodes[position], *node = &wanted->node;
    return have->function == node->function && have->file == node->file &&
           have->line == node->line && have->column == node->column && have->caller == node->caller;
}

static int intern_node(struct stored_unit_build *build, struct stored_node node, uint32_t *ret_node)
{
    struct wanted_node wanted = {build, node};
    uint64_t hash = node_hash(&node);
    uint32_t found = index_find(&build->node_index, hash, node_equal, &wanted);
    if (found == INDEX_EMPTY) {
        if (build->node_count >= ADDRESSES_MAX)
            return -ENOTSUP;
        if (array_reserve(&build->nodes, &build->node_capacity, build->node_count + 1,
                          sizeof *build->nodes))
            return -ENOMEM;
        found = (uint32_t)build->node_count;
        build->nodes[build->node_count++] = node;
        int error = index_add(&build->node_index, hash, found, rehash_node, build);
        if (error)
            return error;
    }
    *ret_node = found;
    return 0;
}

/* A chain of frames shares what it can with others: the outermost comes first. */
static int intern_chain(struct stored_unit_build *build, size_t count, uint32_t *ret_node)
{
    uint32_t node = STORED_NONE;
    int error = 0;
    while (count-- > 0 && !error) {
        const struct frame *frame = &build->frames[count];
        error = intern_node(build,
                            (struct stored_node){
                                .function = frame->function - FALLBACK,
                                .file = frame->file,
                                .line = frame->line,
                                .column = frame->column,
                                .caller = node,
                            },
                            &node);
    }
    *ret_node = node;
    return error;
}

static int add_row(struct stored_unit_build *build, uint64_t vaddr, uint32_t node)
{
    uint64_t offset = vaddr - build->addresses[0];
    if (offset > UINT32_MAX)
        return -ENOTSUP;
    if (build->row_count && build->rows[build->row_count - 1].node == node)
        return 0;
    if (array_reserve(&build->rows, &build->row_capacity, build->row_count + 1,
                      sizeof *build->rows))
        return -ENOMEM;
    build->rows[build->row_count++] = (struct stored_row){(uint32_t)offset, node};
    return 0;
}

static bool is_too_large(const struct stored_unit_build *build)
{
    return build->store.strings.bytes + build->row_count * sizeof *build->rows +
               build->node_count * sizeof *build->nodes >
           DISK_CACHE_PIECE_BYTES_MAX;
}

static int ask_one(struct stored_unit_build *build, uint64_t vaddr)
{
    const struct unit_context context = {
        .image = build->image,
        .symbols = build->symbols,
        .store = &build->store,
        .module = MODULE,
        .fallback = FALLBACK,
    };
    size_t count;
    uint32_t node;
    int error = unit_resolve(build->unit, &context, vaddr, build->frames, &count);
    if (!error)
        error = intern_chain(build, count, &node);
    if (!error)
        error = add_row(build, vaddr, node);
    return error ? error : is_too_large(build) ? -ENOTSUP : 0;
}

static int ask(struct stored_unit_build *build)
{
    int error = 0;
    while (!error && build->next < build->address_count && is_in_time(build)) {
        size_t at = build->next++;
        if (at == 0 || build->addresses[at] != build->addresses[at - 1])
            error = ask_one(build, build->addresses[at]);
    }
    if (!error && build->next == build->address_count)
        build->stage = COMPLETE;
    return error ? error : build->stage == COMPLETE ? 0 : -EAGAIN;
}

/* Two sums of one file's text can only be kept as none, which would say less than the unit does. */
static bool is_disputed(const struct store *store)
{
    for (size_t i = 1; i < store->file_count; i++)
        if (store->files[i].md5_state == FILE_MD5_DISPUTED)
            return true;
    return false;
}

int stored_unit_build_step(struct stored_unit_build *build)
{
    uint64_t begun_ns = clock_monotonic_ns();
    int error = 0;
    build->step_end_ns = begun_ns + STEP_NS;
    if (build->stage == READING_CALLS)
        error = read_calls(build);
    else if (build->stage == ASKING)
        error = ask(build);
    build->work_ns += clock_monotonic_ns() - begun_ns;
    if (error == -EAGAIN && build->work_ns > WORK_NS_MAX)
        return -ENOTSUP;
    return !error && is_disputed(&build->store) ? -ENOTSUP : error;
}

/* --- bytes ---------------------------------------------------------------------------------- */

/* Where each string will be. */
static int place_strings(const struct string_table *strings, uint32_t **ret_offsets,
                         size_t *ret_bytes)
{
    _cleanup_free_ uint32_t *offsets = calloc(strings->count + 1, sizeof *offsets);
    size_t bytes = 0;
    if (!offsets)
        return -ENOMEM;
    for (size_t i = 0; i < strings->count; i++) {
        offsets[i] = (uint32_t)bytes;
        bytes += strlen(strings->strings[i]) + 1;
        if (bytes > UINT32_MAX)
            return -ENOTSUP;
    }
    *ret_offsets = take_pointer(offsets);
    *ret_bytes = bytes;
    return 0;
}

static unsigned char *put(unsigned char *cursor, const void *bytes, size_t length)
{
    if (length)
        memcpy(cursor, bytes, length);
    return cursor + length;
}

static unsigned char *put_functions(unsigned char *cursor, const struct store *store,
                                    const uint32_t *offsets)
{
    for (size_t i = FALLBACK + 1; i < store->function_count; i++) {
        const struct stored_function *function = &store->functions[i];
        const struct stored_unit_function stored = {offsets[function->name], function->file,
                                                    function->line};
        cursor = put(cursor, &stored, sizeof stored);
    }
    return cursor;
}

static unsigned char *put_files(unsigned char *cursor, const struct store *store,
                                const uint32_t *offsets)
{
    for (size_t i = 1; i < store->file_count; i++) {
        const struct stored_file *file = &store->files[i];
        struct stored_unit_file stored = {.named = offsets[file->named],
                                          .directory = offsets[file->directory],
                                          .has_md5 = file->md5_state == FILE_MD5_KNOWN};
        memcpy(stored.md5, file->md5, sizeof stored.md5);
        cursor = put(cursor, &stored, sizeof stored);
    }
    return cursor;
}

int stored_unit_build_finish(const struct stored_unit_build *build, unsigned char **ret_bytes,
                             size_t *ret_length)
{
    const struct store *store = &build->store;
    _cleanup_free_ uint32_t *offsets = NULL;
    size_t string_bytes;
    int error = place_strings(&store->strings, &offsets, &string_bytes);
    if (error)
        return error;
    struct stored_unit_header header = {
        .base = build->address_count ? build->addresses[0] : 0,
        .row_count = (uint32_t)build->row_count,
        .node_count = (uint32_t)build->node_count,
        .function_count = (uint32_t)(store->function_count - FALLBACK - 1),
        .file_count = (uint32_t)(store->file_count - 1),
        .string_bytes = (uint32_t)string_bytes,
    };
    size_t length = sizeof header + build->row_count * sizeof(struct stored_row) +
                    build->node_count * sizeof(struct stored_node) +
                    header.function_count * sizeof(struct stored_unit_function) +
                    header.file_count * sizeof(struct stored_unit_file) + string_bytes;
    unsigned char *bytes = malloc(length), *cursor = bytes;
    if (!bytes)
        return -ENOMEM;
    cursor = put(cursor, &header, sizeof header);
    cursor = put(cursor, build->rows, build->row_count * sizeof(struct stored_row));
    cursor = put(cursor, build->nodes, build->node_count * sizeof(struct stored_node));
    cursor = put_functions(cursor, store, offsets);
    cursor = put_files(cursor, store, offsets);
    for (size_t i = 0; i < store->strings.count; i++)
        cursor = put(cursor, store->strings.strings[i], strlen(store->strings.strings[i]) + 1);
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}
