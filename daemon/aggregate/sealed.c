/* Sealed buckets. */
#include "aggregate/sealed.h"

#include <stdlib.h>
#include <string.h>

size_t sealed_bytes(const struct sealed_bucket *sealed)
{
    return sizeof *sealed + sealed->bucket.count * sizeof(struct bucket_entry);
}

/* An empty one with room for so many entries. */
static struct sealed_bucket *new_sealed(uint64_t start_ns, uint64_t end_ns, size_t capacity)
{
    struct sealed_bucket *sealed = malloc(sizeof *sealed + capacity * sizeof(struct bucket_entry));
    if (!sealed)
        return NULL;
    atomic_init(&sealed->references, 1);
    sealed->bucket.start_ns = start_ns;
    sealed->bucket.end_ns = end_ns;
    sealed->bucket.count = 0;
    return sealed;
}

struct sealed_bucket *sealed_copy(uint64_t start_ns, uint64_t end_ns,
                                  const struct bucket_entry *entries, size_t count)
{
    struct sealed_bucket *sealed = new_sealed(start_ns, end_ns, count);
    if (!sealed)
        return NULL;
    if (count)
        memcpy(sealed->bucket.entries, entries, count * sizeof *entries);
    sealed->bucket.count = count;
    return sealed;
}

void bucket_release(struct sealed_bucket *sealed)
{
    if (sealed && atomic_fetch_sub(&sealed->references, 1) == 1)
        free(sealed);
}

static int compare_entries(const void *first, const void *second)
{
    const struct bucket_entry *a = first, *b = second;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* Most are in order already. */
void sealed_sort(struct sealed_bucket *sealed)
{
    struct bucket_entry *entries = sealed->bucket.entries;
    for (size_t i = 1; i < sealed->bucket.count; i++)
        if (compare_entries(&entries[i - 1], &entries[i]) > 0) {
            qsort(entries, sealed->bucket.count, sizeof *entries, compare_entries);
            return;
        }
}

struct sealed_bucket *sealed_merge(const struct bucket *older, const struct bucket *newer)
{
    struct sealed_bucket *merged =
        new_sealed(older->start_ns, newer->end_ns, older->count + newer->count);
    if (!merged)
        return NULL;
    struct bucket_entry *out = merged->bucket.entries;
    size_t i = 0, j = 0, count = 0;
    while (i < older->count || j < newer->count) {
        int order = i == older->count   ? 1
                    : j == newer->count ? -1
                                        : compare_entries(&older->entries[i], &newer->entries[j]);
        out[count] = order <= 0 ? older->entries[i++] : newer->entries[j++];
        if (order == 0) {
            uint32_t more = newer->entries[j].hits;
            if (more > UINT32_MAX - out[count].hits) {
                free(merged);
                return NULL;
            }
            out[count].hits += more;
            out[count].weight_ns += newer->entries[j++].weight_ns;
        }
        count++;
    }
    merged->bucket.count = count;
    size_t exact = sealed_bytes(merged);
    struct sealed_bucket *shrunk = realloc(merged, exact);
    return shrunk ? shrunk : merged;
}
