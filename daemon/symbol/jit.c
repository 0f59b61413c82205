/* Publishes names of code in anonymous memory, again when the target's map says more. */
#include "symbol/jit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"

#define LOOK_EVERY_NS (250 * NS_PER_MS)
#define UNNAMED "[anon]"

static int publish(struct jit *jit, struct store *store, struct jit_location *location,
                   const char *name, bool *ret_differs)
{
    struct frame frame = {0};
    int error =
        store_add_function(store, name ? name : UNNAMED, jit->module->id, 0, 0, &frame.function);
    if (error)
        return error;
    *ret_differs = frame.function != location->function;
    if (!*ret_differs)
        return 0;
    error = store_publish(store, location->location, &frame, 1, SYMBOL_NO_MODULE);
    if (!error)
        location->function = frame.function;
    return error;
}

static int publish_again(struct jit *jit, struct store *store, size_t *ret_named)
{
    for (size_t i = 0; i < jit->count; i++) {
        const char *name = perf_map_find(&jit->map, jit->locations[i].ip);
        bool differs;
        if (!name) /* forgotten by the map, not by us */
            continue;
        uint32_t before = jit->locations[i].function;
        int error = publish(jit, store, &jit->locations[i], name, &differs);
        if (error)
            return error;
        const char *old = string_table_get(&store->strings, store->functions[before].name);
        *ret_named += differs && old[0] == '[' && name[0] != '[';
    }
    return 0;
}

int jit_refresh(struct jit *jit, struct store *store, bool now, size_t *ret_named)
{
    uint64_t time_ns = clock_monotonic_ns();
    if (!jit->module->target)
        return 0;
    if (!now && jit->looked_at_ns && time_ns - jit->looked_at_ns < LOOK_EVERY_NS)
        return 0;
    jit->looked_at_ns = time_ns;
    bool changed;
    int error = perf_map_refresh(&jit->map, jit->module->target, &changed);
    if (error || !changed)
        return error;
    return publish_again(jit, store, ret_named);
}

static bool is_kept(const struct store *store, uint32_t location)
{
    return location < store->location_count && store->locations[location].count > 0;
}

int jit_resolve(struct jit *jit, struct store *store, const struct symbol_request *requests,
                size_t count)
{
    size_t named = 0;
    int error = jit_refresh(jit, store, false, &named);
    for (size_t i = 0; i < count && !error; i++) {
        const struct symbol_request *request = &requests[i];
        if (is_kept(store, request->location))
            continue;
        if (array_reserve(&jit->locations, &jit->capacity, jit->count + 1, sizeof *jit->locations))
            return -ENOMEM;
        struct jit_location *location = &jit->locations[jit->count];
        *location = (struct jit_location){
            .ip = request->vaddr - (request->is_return_address && request->vaddr > 0),
            .location = request->location,
        };
        bool differs;
        error = publish(jit, store, location, perf_map_find(&jit->map, location->ip), &differs);
        jit->count += !error;
    }
    return error;
}

size_t jit_bytes(const struct jit *jit)
{
    return perf_map_bytes(&jit->map) + jit->capacity * sizeof *jit->locations;
}

void jit_free(struct jit *jit)
{
    perf_map_free(&jit->map);
    free(jit->locations);
    *jit = (struct jit){0};
}
