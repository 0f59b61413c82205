/* Distinct raw frames by number. */
#include "lprofd/locations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "aggregate/raw_frame.h"
#include "base/index.h"
#include "base/stable.h"

struct stack_locations {
    atomic_uint references;
    struct stable_vector items; /* struct raw_frame */
    struct index index;
};

static struct raw_frame *item_at(const struct stack_locations *locations, uint32_t location)
{
    return stable_at(&locations->items, location, sizeof(struct raw_frame));
}

struct wanted_location {
    const struct stack_locations *locations;
    const struct raw_frame *frame;
};

static bool location_equal(const void *user, uint32_t position)
{
    const struct wanted_location *wanted = user;
    return raw_frame_equal(item_at(wanted->locations, position), wanted->frame);
}

static uint64_t location_rehash(const void *user, uint32_t position)
{
    const struct wanted_location *wanted = user;
    return raw_frame_hash(item_at(wanted->locations, position));
}

int stack_locations_find(struct stack_locations *locations, const struct raw_frame *frame,
                         uint32_t *ret_location)
{
    struct wanted_location wanted = {locations, frame};
    uint64_t hash = raw_frame_hash(frame);
    uint32_t found = index_find(&locations->index, hash, location_equal, &wanted);
    if (found == INDEX_EMPTY) {
        found = stable_count(&locations->items);
        int error = stable_append(&locations->items, frame, sizeof *frame);
        if (!error)
            error = index_add(&locations->index, hash, found, location_rehash, &wanted);
        if (error)
            return error;
    }
    *ret_location = found;
    return 0;
}

int stack_locations_append(struct stack_locations *locations, const struct raw_frame *frame)
{
    return stable_append(&locations->items, frame, sizeof *frame);
}

uint32_t stack_locations_count(const struct stack_locations *locations)
{
    return stable_count(&locations->items);
}

struct raw_frame stack_locations_get(const struct stack_locations *locations, uint32_t location)
{
    return *item_at(locations, location);
}

size_t stack_locations_bytes(const struct stack_locations *locations)
{
    return locations->items.bytes + locations->index.capacity * sizeof(struct index_slot);
}

int stack_locations_new(struct stack_locations **ret_locations)
{
    struct stack_locations *locations = calloc(1, sizeof *locations);
    if (!locations)
        return -ENOMEM;
    atomic_init(&locations->references, 1);
    *ret_locations = locations;
    return 0;
}

struct stack_locations *stack_locations_ref(struct stack_locations *locations)
{
    atomic_fetch_add(&locations->references, 1);
    return locations;
}

void stack_locations_unref(struct stack_locations *locations)
{
    if (!locations || atomic_fetch_sub(&locations->references, 1) != 1)
        return;
    stable_free(&locations->items);
    index_clear(&locations->index);
    free(locations);
}
