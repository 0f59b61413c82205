/* The executable mappings of one process: a sorted array, with a cache of pages before it. */
#include "process/address_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "process/maps.h"
#include "process/moved_text.h"
#include "process/proc_text.h"

struct mapped {
    uint64_t start, end;
    uint64_t bias; /* vaddr = ip - bias */
    const struct module *module;
};

#define PAGE_BITS 12
#define PAGE_SLOTS 1024
/* Filling the cache takes some hundred samples, and clearing it as long as these searches. */
#define SEARCHES_MIN 1024

struct page_slot {
    uint64_t page;
    uint64_t generation;
    struct mapped mapped;
};

struct address_space {
    struct module_table *modules; /* borrowed */
    const struct target *target;  /* borrowed; whose mappings these are */
    struct mapped *mappings;      /* owned, sorted, not overlapping */
    size_t count, capacity;
    uint64_t initial_sp;
    uint64_t generation;     /* of all that; slots of older generations do not count */
    unsigned searches;       /* that were made without a cache */
    struct page_slot *pages; /* owned; PAGE_SLOTS, or NULL: a brief process needs none */
};

int address_space_new(struct module_table *modules, struct address_space **ret_space)
{
    struct address_space *space = calloc(1, sizeof *space);
    if (!space)
        return -ENOMEM;
    space->modules = modules;
    space->target = module_table_target(modules);
    space->generation = module_table_new_generation(modules);
    *ret_space = space;
    return 0;
}

int address_space_clone(const struct address_space *parent, const struct target *target,
                        struct address_space **ret_space)
{
    struct address_space *space = NULL;
    int error = address_space_new(parent->modules, &space);
    if (!error)
        error = array_reserve(&space->mappings, &space->capacity, parent->count + 1,
                              sizeof *space->mappings);
    if (error) {
        address_space_free(space);
        return error;
    }
    if (parent->count)
        memcpy(space->mappings, parent->mappings, parent->count * sizeof *space->mappings);
    space->count = parent->count;
    space->initial_sp = parent->initial_sp;
    space->target = target;
    *ret_space = space;
    return 0;
}

void address_space_free(struct address_space *space)
{
    if (!space)
        return;
    free(space->pages);
    free(space->mappings);
    free(space);
}

void address_space_trim(struct address_space *space)
{
    free(space->pages);
    space->pages = NULL;
    space->searches = 0;
}

uint64_t address_space_generation(const struct address_space *space)
{
    return space->generation;
}

void address_space_clear(struct address_space *space)
{
    space->count = 0;
    space->generation = module_table_new_generation(space->modules);
}

void address_space_exec(struct address_space *space, const struct target *target)
{
    address_space_clear(space);
    space->target = target;
}

const struct target *address_space_target(const struct address_space *space)
{
    return space->target;
}

/*
 * What to subtract from an ip for the vaddr. A mapping starts at its segment's file offset rounded
 * down to a page; the segment that begins on that page is the one meant.
 */
static uint64_t find_bias(const struct module *module, const struct record_mapping *mapping)
{
    if (module->kind == MODULE_ANONYMOUS)
        return 0;
    uint64_t page_mask = (UINT64_C(1) << PAGE_BITS) - 1;
    const struct module_segment *best = NULL;
    for (size_t i = 0; i < module->segment_count; i++) {
        const struct module_segment *segment = &module->segments[i];
        if ((segment->offset & ~page_mask) <= mapping->file_offset &&
            mapping->file_offset < segment->offset + segment->bytes)
            best = segment;
    }
    /* Not a known segment: offsets into the file are the best name there is. */
    uint64_t shift = best ? best->vaddr - best->offset : 0;
    return mapping->start - (mapping->file_offset + shift);
}

/* First mapping that ends after `address`. */
static size_t first_ending_after(const struct address_space *space, uint64_t address)
{
    size_t low = 0, high = space->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (space->mappings[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Makes [start, end) free: cuts, splits or removes what lies there. Room for one more is reserved.
 */
static void make_hole(struct address_space *space, uint64_t start, uint64_t end)
{
    size_t first = first_ending_after(space, start), last = first;
    struct mapped left = {0}, right = {0};
    while (last < space->count && space->mappings[last].start < end) {
        const struct mapped *old = &space->mappings[last++];
        if (old->start < start) {
            left = *old;
            left.end = start;
        }
        if (old->end > end) {
            right = *old;
            right.start = end;
        }
    }
    struct mapped kept[2];
    size_t keep = 0;
    if (left.module)
        kept[keep++] = left;
    if (right.module)
        kept[keep++] = right;
    memmove(&space->mappings[first + keep], &space->mappings[last],
            (space->count - last) * sizeof *space->mappings);
    memcpy(&space->mappings[first], kept, keep * sizeof *kept);
    space->count += keep;
    space->count -= last - first;
}

/* Gives anonymous memory that is text of `owner`, moved, to it. */
static bool give_text(const struct address_space *space, const struct mapped *owner,
                      struct mapped *memory)
{
    if (owner->module->kind != MODULE_FILE || memory->module->kind != MODULE_ANONYMOUS ||
        !moved_text_is_of(owner->module, owner->bias, space->target, memory->start, memory->end))
        return false;
    memory->module = owner->module;
    memory->bias = owner->bias;
    return true;
}

/* Text is moved within what was one mapping, or a few: the others need not be asked. */
#define OWNERS_MAX 8

/* What is about to be mapped over others, or between them, may be theirs. */
static void find_owner(const struct address_space *space, struct mapped *memory)
{
    size_t at = first_ending_after(space, memory->start - 1);
    size_t last = at + OWNERS_MAX < space->count ? at + OWNERS_MAX : space->count;
    for (; at < last && space->mappings[at].start <= memory->end; at++)
        if (give_text(space, &space->mappings[at], memory))
            return;
}

/* Its text may have been told of before the file was: lines of maps come by address. */
static void give_neighbours(struct address_space *space, size_t owner)
{
    struct mapped *mappings = space->mappings;
    for (size_t i = owner; i > 0 && mappings[i - 1].end == mappings[i].start; i--)
        if (!give_text(space, &mappings[i], &mappings[i - 1]))
            break;
    for (size_t i = owner + 1; i < space->count && mappings[i].start == mappings[i - 1].end; i++)
        if (!give_text(space, &mappings[i - 1], &mappings[i]))
            break;
}

static size_t insert(struct address_space *space, const struct mapped *mapped)
{
    make_hole(space, mapped->start, mapped->end);
    size_t at = first_ending_after(space, mapped->start);
    memmove(&space->mappings[at + 1], &space->mappings[at],
            (space->count - at) * sizeof *space->mappings);
    space->mappings[at] = *mapped;
    space->count++;
    return at;
}

int address_space_map(struct address_space *space, const struct record_mapping *mapping)
{
    struct mapped mapped = {.start = mapping->start, .end = mapping->start + mapping->length};
    if (mapped.end <= mapped.start)
        return 0;
    int error = module_table_intern(space->modules, space->target, mapping, &mapped.module);
    if (!error)
        error = array_reserve(&space->mappings, &space->capacity, space->count + 2,
                              sizeof *space->mappings);
    if (error)
        return error;

    mapped.bias = find_bias(mapped.module, mapping);
    find_owner(space, &mapped);
    give_neighbours(space, insert(space, &mapped));
    space->generation = module_table_new_generation(space->modules);
    return 0;
}

void address_space_renew(struct address_space *space, const struct module *module)
{
    for (size_t i = 0; i < space->count; i++) {
        const struct module **old = &space->mappings[i].module;
        if ((*old)->kind == MODULE_ANONYMOUS && (*old)->target == module->target)
            *old = module;
    }
    space->generation = module_table_new_generation(space->modules);
}

static int add_mapping(void *user, const struct record_mapping *mapping)
{
    return address_space_map(user, mapping);
}

int address_space_replace(struct address_space *space, const char *maps)
{
    _cleanup_free_ char *text = strdup(maps);
    if (!text)
        return -ENOMEM;
    address_space_clear(space);
    return maps_parse(text, add_mapping, space);
}

uint64_t address_space_initial_sp(const struct address_space *space)
{
    return space->initial_sp;
}

void address_space_read_initial_sp(struct address_space *space, pid_t pid)
{
    struct proc_stat stat;
    uint64_t initial_sp = proc_read_stat(pid, 0, &stat) ? 0 : stat.start_stack;
    if (initial_sp == space->initial_sp)
        return;
    space->initial_sp = initial_sp;
    space->generation = module_table_new_generation(space->modules);
}

int address_space_read(struct address_space *space, pid_t pid)
{
    _cleanup_free_ char *text = NULL;
    int error = proc_read_text(pid, 0, PROC_MAPS, &text, NULL);
    if (error)
        return error;
    address_space_clear(space);
    address_space_read_initial_sp(space, pid);
    return maps_parse(text, add_mapping, space);
}

static const struct mapped *search(const struct address_space *space, uint64_t ip)
{
    size_t at = first_ending_after(space, ip);
    return at == space->count || space->mappings[at].start > ip ? NULL : &space->mappings[at];
}

/* Where the page's mapping is kept; NULL without a cache. */
static struct page_slot *slot_of(struct address_space *space, uint64_t page)
{
    if (!space->pages && ++space->searches > SEARCHES_MIN) {
        space->searches = 0;
        space->pages = calloc(PAGE_SLOTS, sizeof *space->pages);
    }
    return space->pages ? &space->pages[hash_u64(page) % PAGE_SLOTS] : NULL;
}

const struct module *address_space_find(struct address_space *space, uint64_t ip,
                                        uint64_t *ret_vaddr)
{
    uint64_t page = ip >> PAGE_BITS;
    struct page_slot *slot = slot_of(space, page);
    bool hit = slot && slot->generation == space->generation && slot->page == page &&
               ip >= slot->mapped.start && ip < slot->mapped.end;
    const struct mapped *mapped = hit ? &slot->mapped : search(space, ip);
    if (!mapped)
        return NULL;
    if (slot && !hit)
        *slot = (struct page_slot){page, space->generation, *mapped};
    *ret_vaddr = ip - mapped->bias;
    return mapped->module;
}
