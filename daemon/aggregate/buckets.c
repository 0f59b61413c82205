/* Counts by time: the open bucket, sealing, coarsening and forgetting. */
#include "aggregate/buckets.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"

/* Old buckets are looked through for merging once in ten seconds. */
#define SWEEP_INTERVAL_NS (UINT64_C(10) * 1000000000)

struct bucket_store {
    /* The writer's own: the open bucket. */
    struct bucket_entry *open; /* owned */
    size_t open_count, open_capacity;
    struct index open_index;
    uint64_t open_start_ns;

    pthread_mutex_t mutex;         /* guards what follows */
    struct sealed_bucket **sealed; /* owned array of references */
    size_t sealed_count, sealed_capacity;
    size_t bytes, limit_bytes;
    uint64_t end_ns;
    struct bucket_losses losses;
};

/* How wide buckets of some age are: a second after a minute, ten seconds after ten, and so on. */
static const struct {
    uint64_t age_ns, width_ns;
} resolutions[] = {
    {UINT64_C(60) * 1000000000, UINT64_C(1000000000)},
    {UINT64_C(600) * 1000000000, UINT64_C(10) * 1000000000},
    {UINT64_C(7200) * 1000000000, UINT64_C(60) * 1000000000},
    {UINT64_C(86400) * 1000000000, UINT64_C(600) * 1000000000},
};

int bucket_store_new(size_t limit_bytes, struct bucket_store **ret_store)
{
    struct bucket_store *store = calloc(1, sizeof *store);
    if (!store)
        return -ENOMEM;
    store->limit_bytes = limit_bytes;
    pthread_mutex_init(&store->mutex, NULL);
    *ret_store = store;
    return 0;
}

void bucket_store_free(struct bucket_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->sealed_count; i++)
        bucket_release(store->sealed[i]);
    free(store->sealed);
    free(store->open);
    index_clear(&store->open_index);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

struct wanted_entry {
    const struct bucket_entry *entries;
    uint32_t node, thread;
};

static bool entry_equal(const void *user, uint32_t position)
{
    const struct wanted_entry *wanted = user;
    const struct bucket_entry *have = &wanted->entries[position];
    return have->node == wanted->node && have->thread == wanted->thread;
}

static uint64_t entry_rehash(const void *user, uint32_t position)
{
    const struct wanted_entry *wanted = user;
    const struct bucket_entry *have = &wanted->entries[position];
    return hash_u64((uint64_t)have->node << 32 | have->thread);
}

int bucket_store_count(struct bucket_store *store, uint32_t node, uint32_t thread,
                       uint64_t weight_ns)
{
    struct wanted_entry wanted = {store->open, node, thread};
    uint64_t hash = hash_u64((uint64_t)node << 32 | thread);
    uint32_t at = index_find(&store->open_index, hash, entry_equal, &wanted);
    if (at == INDEX_EMPTY) {
        int error = array_reserve(&store->open, &store->open_capacity, store->open_count + 1,
                                  sizeof *store->open);
        if (error)
            return error;
        at = (uint32_t)store->open_count;
        store->open[at] = (struct bucket_entry){.node = node, .thread = thread};
        wanted.entries = store->open;
        error = index_add(&store->open_index, hash, at, entry_rehash, &wanted);
        if (error)
            return error;
        store->open_count++;
    }
    store->open[at].hits++;
    store->open[at].weight_ns += weight_ns;
    return 0;
}

/*
 * The width that a bucket of this age should have. Under pressure old ones become wider by `shift`
 * doublings; what is new stays fine, because people look at it.
 */
static uint64_t width_at(uint64_t age_ns, unsigned shift)
{
    uint64_t width = BUCKET_NS;
    for (size_t i = 0; i < array_length(resolutions); i++)
        if (age_ns >= resolutions[i].age_ns)
            width = resolutions[i].width_ns << shift;
    return width;
}

/* Merges neighbours that fit into one aligned bucket of the width that their age asks for. */
static void coarsen(struct bucket_store *store, unsigned shift)
{
    size_t kept = 0;
    for (size_t i = 0; i < store->sealed_count; i++) {
        struct sealed_bucket *next = store->sealed[i];
        struct sealed_bucket *last = kept ? store->sealed[kept - 1] : NULL;
        uint64_t width = width_at(store->end_ns - next->bucket.end_ns, shift);
        if (last && last->bucket.start_ns / width == (next->bucket.end_ns - 1) / width) {
            struct sealed_bucket *merged = sealed_merge(&last->bucket, &next->bucket);
            if (merged) {
                store->bytes += sealed_bytes(merged);
                store->bytes -= sealed_bytes(last) + sealed_bytes(next);
                bucket_release(last);
                bucket_release(next);
                store->sealed[kept - 1] = merged;
                continue;
            }
        }
        store->sealed[kept++] = next;
    }
    store->sealed_count = kept;
}

static void drop_oldest(struct bucket_store *store)
{
    struct sealed_bucket *oldest = store->sealed[0];
    store->bytes -= sealed_bytes(oldest);
    store->losses.knows_since_ns = oldest->bucket.end_ns;
    for (size_t i = 0; i < oldest->bucket.count; i++)
        store->losses.forgotten_hits += oldest->bucket.entries[i].hits;
    store->sealed_count--;
    memmove(&store->sealed[0], &store->sealed[1], store->sealed_count * sizeof(store->sealed[0]));
    bucket_release(oldest);
}

static void stay_within_limit(struct bucket_store *store)
{
    for (unsigned shift = 1; shift <= 8 && store->bytes > store->limit_bytes; shift++) {
        size_t before = store->sealed_count;
        coarsen(store, shift);
        uint64_t width_ns = width_at(resolutions[0].age_ns, shift);
        if (store->sealed_count < before && width_ns > store->losses.coarse_ns)
            store->losses.coarse_ns = width_ns;
    }
    while (store->bytes > store->limit_bytes && store->sealed_count > 1)
        drop_oldest(store);
}

/* A sealed copy of the open bucket. The open one stays as it is until reset_open(). */
static int copy_open(struct bucket_store *store, uint64_t end_ns, struct sealed_bucket **ret_sealed)
{
    struct sealed_bucket *sealed =
        sealed_copy(store->open_start_ns, end_ns, store->open, store->open_count);
    if (!sealed)
        return -ENOMEM;
    sealed_sort(sealed);
    *ret_sealed = sealed;
    return 0;
}

static void reset_open(struct bucket_store *store, uint64_t start_ns)
{
    store->open_count = 0;
    store->open_start_ns = start_ns;
    index_reset(&store->open_index);
}

/* Takes the sealed bucket (or NULL) over, then merges and forgets. Under the mutex. */
static int append_sealed(struct bucket_store *store, struct sealed_bucket *sealed, uint64_t end_ns)
{
    if (sealed && array_reserve(&store->sealed, &store->sealed_capacity, store->sealed_count + 1,
                                sizeof(struct sealed_bucket *)))
        return -ENOMEM;
    if (sealed) {
        store->bytes += sealed_bytes(sealed);
        store->sealed[store->sealed_count++] = sealed;
    }
    bool sweep = store->end_ns / SWEEP_INTERVAL_NS != end_ns / SWEEP_INTERVAL_NS;
    store->end_ns = end_ns;
    if (sweep)
        coarsen(store, 0);
    stay_within_limit(store);
    return 0;
}

int bucket_store_seal(struct bucket_store *store, uint64_t end_ns)
{
    struct sealed_bucket *sealed = NULL;
    int error = store->open_count ? copy_open(store, end_ns, &sealed) : 0;
    if (error)
        return error;
    pthread_mutex_lock(&store->mutex);
    error = append_sealed(store, sealed, end_ns);
    pthread_mutex_unlock(&store->mutex);
    if (error) {
        bucket_release(sealed);
        return error;
    }
    reset_open(store, end_ns);
    return 0;
}

int bucket_store_append(struct bucket_store *store, const struct bucket *bucket,
                        const struct bucket_entry *entries)
{
    struct sealed_bucket *sealed =
        sealed_copy(bucket->start_ns, bucket->end_ns, entries, bucket->count);
    if (!sealed)
        return -ENOMEM;
    pthread_mutex_lock(&store->mutex);
    int error = array_reserve(&store->sealed, &store->sealed_capacity, store->sealed_count + 1,
                              sizeof(struct sealed_bucket *));
    if (!error) {
        store->bytes += sealed_bytes(sealed);
        store->sealed[store->sealed_count++] = sealed;
    }
    pthread_mutex_unlock(&store->mutex);
    if (error)
        bucket_release(sealed);
    return error;
}

void bucket_store_set_range(struct bucket_store *store, const struct bucket_losses *losses,
                            uint64_t end_ns)
{
    pthread_mutex_lock(&store->mutex);
    store->losses = *losses;
    store->end_ns = end_ns;
    pthread_mutex_unlock(&store->mutex);
}

/* Nobody else has it: readers take references under the mutex only. */
static bool is_ours_alone(struct sealed_bucket *sealed)
{
    return atomic_load(&sealed->references) == 1;
}

static int unshare_all(struct bucket_store *store)
{
    for (size_t i = 0; i < store->sealed_count; i++) {
        struct sealed_bucket *have = store->sealed[i];
        if (is_ours_alone(have))
            continue;
        struct sealed_bucket *copy = sealed_copy(have->bucket.start_ns, have->bucket.end_ns,
                                                 have->bucket.entries, have->bucket.count);
        if (!copy)
            return -ENOMEM;
        bucket_release(have);
        store->sealed[i] = copy;
    }
    return 0;
}

static void renumber(struct sealed_bucket *sealed, const uint32_t *numbers)
{
    for (size_t i = 0; i < sealed->bucket.count; i++)
        sealed->bucket.entries[i].node = numbers[sealed->bucket.entries[i].node];
    sealed_sort(sealed);
}

int bucket_store_renumber(struct bucket_store *store, uint64_t drop_until_ns,
                          const uint32_t *numbers)
{
    pthread_mutex_lock(&store->mutex);
    int error = unshare_all(store);
    while (!error && store->sealed_count && store->sealed[0]->bucket.end_ns <= drop_until_ns)
        drop_oldest(store);
    for (size_t i = 0; i < store->sealed_count && !error; i++)
        renumber(store->sealed[i], numbers);
    pthread_mutex_unlock(&store->mutex);
    return error;
}

int bucket_store_snapshot(struct bucket_store *store, struct sealed_bucket ***ret_buckets,
                          size_t *ret_count, uint64_t *ret_end_ns, uint64_t *ret_knows_since_ns)
{
    pthread_mutex_lock(&store->mutex);
    size_t count = store->sealed_count;
    struct sealed_bucket **copy = calloc(count + 1, sizeof(struct sealed_bucket *));
    if (copy) {
        for (size_t i = 0; i < count; i++) {
            copy[i] = store->sealed[i];
            atomic_fetch_add(&copy[i]->references, 1);
        }
        *ret_buckets = copy;
        *ret_count = count;
        *ret_end_ns = store->end_ns;
        *ret_knows_since_ns = store->losses.knows_since_ns;
    }
    pthread_mutex_unlock(&store->mutex);
    return copy ? 0 : -ENOMEM;
}

void bucket_store_limit(struct bucket_store *store, size_t limit_bytes)
{
    pthread_mutex_lock(&store->mutex);
    store->limit_bytes = limit_bytes;
    pthread_mutex_unlock(&store->mutex);
}

size_t bucket_store_bytes(struct bucket_store *store)
{
    pthread_mutex_lock(&store->mutex);
    size_t bytes = store->bytes;
    pthread_mutex_unlock(&store->mutex);
    return bytes;
}

struct bucket_losses bucket_store_losses(struct bucket_store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct bucket_losses losses = store->losses;
    pthread_mutex_unlock(&store->mutex);
    return losses;
}
