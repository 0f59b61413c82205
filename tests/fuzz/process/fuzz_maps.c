/* Arbitrary /proc/PID/maps: an address is in a mapping exactly when the last one over it says so.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#include "lprofd/privilege.h"
#include "process/address_space.h"
#include "process/maps.h"

#define MAPPINGS_MAX 64

struct mapped {
    uint64_t start, end;
};

struct seen {
    struct address_space *space;
    struct mapped items[MAPPINGS_MAX];
    size_t count;
};

static int add(void *user, const struct record_mapping *mapping)
{
    struct seen *seen = user;
    fuzz_check(mapping->length > 0 && mapping->start + mapping->length > mapping->start);
    fuzz_touch(mapping->path, strlen(mapping->path) + 1);
    if (seen->count == MAPPINGS_MAX)
        return -1;
    struct mapped *item = &seen->items[seen->count++];
    *item = (struct mapped){mapping->start, mapping->start + mapping->length};
    fuzz_check(address_space_map(seen->space, mapping) == 0);
    return 0;
}

static void check_address(struct seen *seen, uint64_t address)
{
    bool expected = false;
    uint64_t vaddr;
    for (size_t i = 0; i < seen->count; i++)
        expected |= address >= seen->items[i].start && address < seen->items[i].end;
    /* Asked twice: the second answer comes from the cache of pages. */
    fuzz_check(!!address_space_find(seen->space, address, &vaddr) == expected);
    fuzz_check(!!address_space_find(seen->space, address, &vaddr) == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    /* No process has this id, and nothing can be opened below a root that is not a directory. */
    struct target target = {.pid = INT32_MAX, .uid = geteuid(), .gid = getegid()};
    target.root_fd = open("/dev/null", O_PATH | O_CLOEXEC);
    struct module_table *modules;
    struct seen seen = {0};
    fuzz_check(module_table_new(&target, &modules) == 0);
    fuzz_check(address_space_new(modules, &seen.space) == 0);

    char *text = fuzz_string(bytes, length);
    maps_parse(text, add, &seen);
    for (size_t i = 0; i < seen.count; i++) {
        check_address(&seen, seen.items[i].start - 1);
        check_address(&seen, seen.items[i].start);
        check_address(&seen, seen.items[i].end - 1);
        check_address(&seen, seen.items[i].end);
    }
    free(text);
    address_space_free(seen.space);
    module_table_free(modules);
    close(target.root_fd);
    return 0;
}
