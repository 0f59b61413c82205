/* Publishes names of code in anonymous memory, again when the target's files say more. */
#include "symbol/jit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "symbol/jit_name.h"

#define LOOK_EVERY_NS (250 * NS_PER_MS)
#define UNNAMED "[anon]"

/*
 * A map has no times, but it grows: what a later line of the same file says of an address that had
 * a name is said of code that came later.
 */
static bool look_up_in_map(const struct perf_map *map, struct jit_location *location,
                           struct jit_place *ret_place)
{
    const char *name = perf_map_find(map, location->ip);
    *ret_place = (struct jit_place){.name = name};
    if (!name)
        return false;
    uint64_t hash = hash_bytes(name, strlen(name));
    if (location->name_hash && location->map_file == map->files && location->name_hash != hash) {
        location->was_replaced = true;
        return false;
    }
    location->name_hash = hash;
    location->map_file = map->files;
    return true;
}

/* A dump says more than a map: it knows lines and times. False when nobody knows the address. */
static bool look_up(const struct jit *jit, struct jit_location *location,
                    struct jit_place *ret_place)
{
    for (size_t i = 0; i < jit->dump_count; i++) {
        if (jitdump_find(&jit->dumps[i], location->ip, location->seen_ns, ret_place)) {
            location->was_replaced |= ret_place->was_replaced;
            return true;
        }
    }
    return look_up_in_map(&jit->map, location, ret_place);
}

static int add_file(const struct jit *jit, struct store *store, const char *path, uint32_t *ret_id)
{
    return store_add_file(store, path, "", jit->module, NULL, ret_id);
}

/* What V8's names say of a function goes to *frame, and stays where lines say nothing. */
static int add_function(const struct jit *jit, struct store *store, const char *name,
                        struct frame *frame)
{
    _cleanup_(jit_name_free) struct jit_name parsed = {0};
    int error = jit_name_parse(name, &parsed);
    if (error == -ENOENT)
        return store_add_function(store, name, jit->module, 0, 0, &frame->function);
    if (!error)
        error = add_file(jit, store, parsed.path, &frame->file);
    frame->line = parsed.line;
    frame->column = parsed.column;
    return error ? error
                 : store_add_function(store, parsed.function, jit->module, frame->file, parsed.line,
                                      &frame->function);
}

static int make_frame(struct jit *jit, struct store *store, const struct jit_place *place,
                      struct frame *ret_frame)
{
    struct frame frame = {0};
    int error = add_function(jit, store, place->name ? place->name : UNNAMED, &frame);
    if (!error && place->file)
        error = add_file(jit, store, place->file, &frame.file);
    jit->has_function_lines |= frame.line && !place->line;
    if (place->line) {
        frame.line = place->line;
        frame.column = place->column;
    }
    if (!error)
        *ret_frame = frame;
    return error;
}

static bool is_same(const struct frame *left, const struct frame *right)
{
    return left->function == right->function && left->file == right->file &&
           left->line == right->line && left->column == right->column;
}

static int publish(struct jit *jit, struct store *store, struct jit_location *location,
                   const struct jit_place *place)
{
    struct frame frame;
    int error = make_frame(jit, store, place, &frame);
    if (error || is_same(&frame, &location->frame))
        return error;
    bool has_line = frame.file && frame.line;
    error = store_publish(store, location->location, &frame, 1,
                          has_line ? SYMBOL_LINE : SYMBOL_NO_MODULE);
    if (error)
        return error;
    bool is_news = place->name && !location->is_named;
    jit->named += is_news;
    jit->named_late += is_news && location->frame.function;
    location->is_named |= is_news;
    location->frame = frame;
    return 0;
}

static int publish_again(struct jit *jit, struct store *store)
{
    for (size_t i = 0; i < jit->count; i++) {
        struct jit_location *location = &jit->locations[i];
        struct jit_place place;
        bool was_replaced = location->was_replaced;
        bool is_known = look_up(jit, location, &place);
        jit->was_replaced |= location->was_replaced && !was_replaced;
        if (!is_known) /* forgotten by the map, not by us */
            continue;
        int error = publish(jit, store, location, &place);
        if (error)
            return error;
    }
    return 0;
}

/*
 * The name of the map says no more than a pid. Once its process has ended, and after one last look,
 * or executes another program, it is a successor's. Dumps are the files that were mapped.
 */
static int read_map(struct jit *jit, bool *ret_changed)
{
    enum target_life life = target_life(jit->target);
    *ret_changed = false;
    if (jit->map_is_final || life == TARGET_EXECUTED)
        return 0;
    jit->map_is_final = life == TARGET_ENDED;
    return perf_map_refresh(&jit->map, jit->target, ret_changed);
}

static int read_files(struct jit *jit, bool *ret_changed)
{
    bool changed;
    int error = read_map(jit, ret_changed);
    for (size_t i = 0; i < jit->dump_count && !error; i++) {
        error = jitdump_refresh(&jit->dumps[i], &changed);
        *ret_changed |= changed;
    }
    return error;
}

int jit_add_dump(struct jit *jit, int fd)
{
    if (jit->dump_count == JIT_DUMPS_MAX)
        return -ENOSPC;
    jitdump_init(&jit->dumps[jit->dump_count++], fd);
    jit->looked_at_ns = 0;
    return 0;
}

static int look_again(struct jit *jit, struct store *store, bool now)
{
    uint64_t time_ns = clock_monotonic_ns();
    bool is_soon = jit->looked_at_ns && time_ns - jit->looked_at_ns < LOOK_EVERY_NS;
    if (!jit->target || (is_soon && !now))
        return 0;
    jit->looked_at_ns = time_ns;
    bool changed;
    int error = read_files(jit, &changed);
    return error || !changed ? error : publish_again(jit, store);
}

int jit_refresh(struct jit *jit, struct store *store, bool now, size_t *ret_named)
{
    int error = look_again(jit, store, now);
    *ret_named += jit->named_late;
    jit->named_late = 0;
    return error;
}

static bool is_kept(const struct store *store, uint32_t location)
{
    return location < store->location_count && store->locations[location].count > 0;
}

int jit_resolve(struct jit *jit, struct store *store, const struct symbol_request *requests,
                size_t count)
{
    int error = look_again(jit, store, false);
    uint64_t now_ns = clock_monotonic_ns();
    for (size_t i = 0; i < count && !error; i++) {
        const struct symbol_request *request = &requests[i];
        if (is_kept(store, request->location))
            continue;
        if (array_reserve(&jit->locations, &jit->capacity, jit->count + 1, sizeof *jit->locations))
            return -ENOMEM;
        struct jit_location *location = &jit->locations[jit->count];
        *location = (struct jit_location){
            .ip = request->vaddr - (request->is_return_address && request->vaddr > 0),
            .seen_ns = now_ns,
            .location = request->location,
        };
        struct jit_place place;
        look_up(jit, location, &place);
        error = publish(jit, store, location, &place);
        jit->count += !error;
    }
    return error;
}

unsigned jit_problems(const struct jit *jit)
{
    static const struct {
        unsigned from, to;
    } bits[] = {
        {JITDUMP_FOREIGN, SYMBOL_JIT_FOREIGN},
        {JITDUMP_DAMAGED, SYMBOL_JIT_DAMAGED},
        {JITDUMP_TOO_LARGE, SYMBOL_JIT_TOO_LARGE},
    };
    unsigned problems = jit->has_function_lines ? SYMBOL_JIT_FUNCTION_LINES : 0;
    problems |= perf_map_is_full(&jit->map) ? SYMBOL_JIT_TOO_LARGE : 0;
    for (size_t i = 0; i < jit->dump_count; i++)
        for (size_t k = 0; k < array_length(bits); k++)
            problems |= jit->dumps[i].problems & bits[k].from ? bits[k].to : 0;
    return problems;
}

size_t jit_bytes(const struct jit *jit)
{
    size_t bytes = perf_map_bytes(&jit->map) + jit->capacity * sizeof *jit->locations;
    for (size_t i = 0; i < jit->dump_count; i++)
        bytes += jitdump_bytes(&jit->dumps[i]);
    return bytes;
}

void jit_free(struct jit *jit)
{
    perf_map_free(&jit->map);
    for (size_t i = 0; i < jit->dump_count; i++)
        jitdump_free(&jit->dumps[i]);
    free(jit->locations);
    *jit = (struct jit){0};
}
