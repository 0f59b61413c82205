/* Arbitrary bytes as what is kept on disk: files, indices of units, and units' answers. */
#include "fuzz.h"

#include "symbol/disk_cache.h"
#include "symbol/stored_index.h"
#include "symbol/stored_unit.h"

static void check_file(const uint8_t *bytes, size_t length)
{
    size_t offset;
    if (disk_cache_check(bytes, length, "identity", &offset) == 0)
        fuzz_check(offset <= length);
}

static void read_index(const uint8_t *bytes, size_t length)
{
    struct stored_index index;
    if (stored_index_open(bytes, length, &index))
        return;
    for (size_t i = 0; i < index.map.count; i++) {
        uint32_t position = range_map_find(&index.map, index.map.starts[i]);
        fuzz_check(position == index.map.values[i]);
        fuzz_check(position == RANGE_NONE || position < index.count);
    }
    stored_index_free(&index);
}

/* Every row's frames, and that they are the same when asked for again. */
static void ask(struct stored_unit *unit, struct store *store, struct frame *frames)
{
    for (uint32_t i = 0; i < unit->header.row_count; i++) {
        uint64_t vaddr = unit->header.base + unit->rows[i].offset;
        size_t count, again;
        fuzz_check(stored_unit_resolve(unit, store, 0, 0, vaddr, frames, &count) == 0);
        fuzz_check(count >= 1 && count <= FRAMES_PER_LOCATION_MAX);
        struct frame first = frames[0];
        for (size_t k = 0; k < count; k++)
            fuzz_check(frames[k].function < store->function_count &&
                       frames[k].file < store->file_count);
        fuzz_check(stored_unit_resolve(unit, store, 0, 0, vaddr, frames, &again) == 0);
        fuzz_check(count == again && memcmp(&first, &frames[0], sizeof first) == 0);
    }
}

static void read_unit(const uint8_t *bytes, size_t length)
{
    static struct frame frames[FRAMES_PER_LOCATION_MAX];
    struct stored_unit *unit;
    struct store store;
    unsigned char *copy = malloc(length ? length : 1);
    fuzz_check(copy);
    memcpy(copy, bytes, length);
    if (stored_unit_open(copy, length, &unit))
        return;
    fuzz_check(store_init(&store) == 0);
    ask(unit, &store, frames);
    stored_unit_free(unit);
    store_free(&store);
}

/* The first byte says what the others are. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static void (*const readers[])(const uint8_t *bytes, size_t length) = {
        check_file,
        read_index,
        read_unit,
    };
    if (length > 0 && bytes[0] < sizeof readers / sizeof readers[0])
        readers[bytes[0]](bytes + 1, length - 1);
    return 0;
}
