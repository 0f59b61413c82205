/*
 * Arbitrary columns of a saved profile: what is made of them names only what is there. The input is
 * the columns one after the other, each behind its length in two bytes; counts follow from them.
 */
#include "fuzz.h"

#include "saved/stacks.h"

#define LIMIT_BYTES (UINT64_C(32) << 20)
#define MODULES 3
#define THREADS 3
#define NAMES 8

/* What there is of a group of columns: as many as the first of them has numbers. */
static uint64_t count_numbers(const struct column *column)
{
    uint64_t count = 0;
    for (size_t i = 0; i < column->reader.length; i++)
        count += !(column->reader.bytes[i] & 0x80);
    return count;
}

static void split(const uint8_t *bytes, size_t length, struct column *columns)
{
    static const enum column_id leaders[] = {COLUMN_LOCATION_MODULE, COLUMN_FRAME_FUNCTION,
                                             COLUMN_NODE_PARENT,     COLUMN_BUCKET_START,
                                             COLUMN_ENTRY_NODE,      COLUMN_COUNT};
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        size_t wanted = length >= 2 ? bytes[0] | (size_t)bytes[1] << 8 : 0;
        size_t skip = length < 2 ? length : 2;
        bytes += skip;
        length -= skip;
        size_t taken = wanted < length ? wanted : length;
        /* A copy of its own, so that a read beyond it is noticed. */
        const void *copy = fuzz_string(bytes, taken);
        columns[i] = (struct column){.reader = {.bytes = copy, .length = taken}};
        bytes += taken;
        length -= taken;
    }
    for (size_t group = 0; leaders[group] != COLUMN_COUNT; group++)
        for (size_t i = leaders[group]; i < leaders[group + 1]; i++)
            columns[i].count = count_numbers(&columns[leaders[group]]);
}

static void make(struct saved_profile *profile)
{
    *profile = (struct saved_profile){.module_count = MODULES, .thread_count = THREADS};
    profile->info.samples.total = profile->info.sampled_ns = UINT64_C(1) << 60;
    profile->info.duration_ns = UINT64_C(1) << 60;
    fuzz_check(stack_locations_new(&profile->locations) == 0);
    fuzz_check(stack_trie_new(profile->locations, &profile->trie) == 0);
    fuzz_check(symbols_new(&profile->symbols) == 0);
    fuzz_check(bucket_store_new(SIZE_MAX, &profile->buckets) == 0);
    for (uint32_t i = 1; i < NAMES; i++) {
        char name[] = {'/', (char)('a' + i), '\0'};
        struct symbol_file file = {.path = name, .directory = ""};
        struct symbol_function function = {.name = name, .file = i};
        fuzz_check(symbols_restore_file(profile->symbols, &file) == 0);
        fuzz_check(symbols_restore_function(profile->symbols, &function) == 0);
    }
}

static void check_stacks(const struct saved_profile *profile)
{
    uint32_t locations = stack_trie_location_count(profile->trie);
    for (uint32_t i = 0; i < locations; i++) {
        struct raw_frame raw = stack_trie_location(profile->trie, i);
        struct frame_span span = symbols_frames(profile->symbols, i);
        fuzz_check(raw.module ? raw.module < MODULES : raw.vaddr < STACK_END_COUNT);
        fuzz_check((unsigned)span.status < SYMBOL_STATUS_COUNT);
        for (uint32_t j = 0; j < span.count; j++)
            fuzz_check(span.frames[j].function < NAMES && span.frames[j].file < NAMES);
    }
    for (uint32_t i = 1; i < stack_trie_node_count(profile->trie); i++) {
        struct trie_node node = stack_trie_node(profile->trie, i);
        fuzz_check(node.parent < i && node.location < locations);
    }
}

static void check_bucket(const struct saved_profile *profile, const struct bucket *bucket)
{
    uint32_t nodes = stack_trie_node_count(profile->trie);
    fuzz_check(bucket->start_ns <= bucket->end_ns && bucket->end_ns <= profile->info.duration_ns);
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_entry *entry = &bucket->entries[i];
        fuzz_check(entry->node < nodes && entry->thread < THREADS);
        fuzz_check(i == 0 || entry[-1].node < entry->node ||
                   (entry[-1].node == entry->node && entry[-1].thread < entry->thread));
    }
}

static void check_buckets(const struct saved_profile *profile)
{
    struct sealed_bucket **buckets;
    size_t count;
    uint64_t end_ns, knows_since_ns, last_ns = 0;
    fuzz_check(
        bucket_store_snapshot(profile->buckets, &buckets, &count, &end_ns, &knows_since_ns) == 0);
    for (size_t i = 0; i < count; i++) {
        fuzz_check(buckets[i]->bucket.start_ns >= last_ns);
        last_ns = buckets[i]->bucket.end_ns;
        check_bucket(profile, &buckets[i]->bucket);
        bucket_release(buckets[i]);
    }
    free(buckets);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct column columns[COLUMN_COUNT];
    struct saved_profile profile;
    struct budget budget = {LIMIT_BYTES};
    split(bytes, length, columns);
    make(&profile);
    if (stacks_read(columns, &budget, &profile) == 0) {
        check_stacks(&profile);
        check_buckets(&profile);
    }
    profile.module_count = 0; /* they were only counted */
    saved_profile_clear(&profile);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        free((void *)(uintptr_t)columns[i].reader.bytes);
    return 0;
}
