/* Whose rights the files of a module are opened with. */
#include "process/rights.h"

#include "process/maps.h"

struct search {
    const struct record_mapping *mapping; /* borrowed */
    bool found;
};

/* Parts of it may have been replaced, but the beginning is there. */
static int compare(void *user, const struct record_mapping *mapping)
{
    struct search *search = user;
    const struct record_mapping *wanted = search->mapping;
    search->found |= mapping->start == wanted->start && mapping->inode == wanted->inode &&
                     mapping->device_major == wanted->device_major &&
                     mapping->device_minor == wanted->device_minor;
    return 0;
}

static bool is_mapped(pid_t pid, const struct record_mapping *mapping)
{
    struct search search = {.mapping = mapping};
    if (mapping->inode && privilege_is_mapped(pid, mapping->start, mapping->start + mapping->length,
                                              mapping->path, mapping->inode))
        return true;
    return maps_read(pid, compare, &search) == 0 && search.found;
}

/*
 * A program that is executed begins without mappings. So a process that still has this one made it
 * in the program that runs now, which may have given up rights since, but got none: what it had a
 * moment before, it had then, too.
 */
int rights_find(const struct target *process, const struct record_mapping *mapping,
                struct target **ret_target, bool *ret_certain)
{
    struct target *now = NULL;
    target_look_again(process); /* its compiled code is its own, too */
    *ret_certain = !process->may_change;
    if (process->may_change && target_open(process->pid, &now) == 0 &&
        is_mapped(process->pid, mapping)) {
        now->shared->is_final = true; /* what it becomes later is nothing to what it mapped */
        *ret_certain = true;
        *ret_target = now;
        return 0;
    }
    target_free(now);
    return target_stand_in(process, process->pid, ret_target);
}

const struct target *rights_keep(struct rights *rights, struct target *target)
{
    for (size_t i = 0; i < rights->count; i++) {
        if (target_same_rights(rights->kept[i], target)) {
            target_free(target);
            return rights->kept[i];
        }
    }
    if (rights->count == RIGHTS_MAX) {
        target_free(target);
        return NULL;
    }
    rights->kept[rights->count++] = target;
    return target;
}

void rights_clear(struct rights *rights)
{
    for (size_t i = 0; i < rights->count; i++)
        target_free(rights->kept[i]);
    rights->count = 0;
}
