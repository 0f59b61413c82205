/*
 * Counts by time: samples are counted into an open bucket, which is sealed every BUCKET_NS and
 * immutable from then on. Old buckets are merged into coarser ones, and when that does not keep the
 * store below its limit, the oldest are dropped. One writer; readers hold references.
 */
#pragma once

#include "aggregate/sealed.h"

#define BUCKET_NS UINT64_C(100000000)

/* What the memory limit has cost so far. */
struct bucket_losses {
    uint64_t coarse_ns;      /* how wide what is older than a minute became; 0: as wide as ever */
    uint64_t knows_since_ns; /* what is older was dropped */
    uint64_t forgotten_hits; /* samples that were dropped */
};

struct bucket_store;

/* `limit_bytes` bounds the memory of sealed buckets. 0 or -ENOMEM. */
int bucket_store_new(size_t limit_bytes, struct bucket_store **ret_store);
void bucket_store_free(struct bucket_store *store);

/* Writer: counts a sample of `thread` with stack `node` in the open bucket. 0 or -ENOMEM. */
int bucket_store_count(struct bucket_store *store, uint32_t node, uint32_t thread,
                       uint64_t weight_ns);

/*
 * Writer: seals what was counted since the last seal as [its end, end_ns) and starts a new bucket;
 * merges and drops old buckets to stay within the limit. An empty bucket only moves the end.
 */
int bucket_store_seal(struct bucket_store *store, uint64_t end_ns);

/*
 * Writer: a bucket that was sealed elsewhere, as it is; its entries are copied. For profiles that
 * are read from a file: nothing is counted, merged or dropped in such a store. 0 or -ENOMEM.
 */
int bucket_store_append(struct bucket_store *store, const struct bucket *bucket,
                        const struct bucket_entry *entries);
/* Writer: what the appended buckets no longer know, and where time ended. */
void bucket_store_set_range(struct bucket_store *store, const struct bucket_losses *losses,
                            uint64_t end_ns);

/*
 * Writer, right after a seal: drops what ended by `drop_until_ns` and gives node N of the rest the
 * number numbers[N]. Buckets that others hold are copied, for them. 0, or -ENOMEM and nothing
 * changed.
 */
int bucket_store_renumber(struct bucket_store *store, uint64_t drop_until_ns,
                          const uint32_t *numbers);

/* Anyone: references to all sealed buckets, oldest first; give each back with bucket_release(). */
int bucket_store_snapshot(struct bucket_store *store, struct sealed_bucket ***ret_buckets,
                          size_t *ret_count, uint64_t *ret_end_ns, uint64_t *ret_knows_since_ns);

/* Changes what may be held; takes effect at the next seal. */
void bucket_store_limit(struct bucket_store *store, size_t limit_bytes);
size_t bucket_store_bytes(struct bucket_store *store);

/* As of the last seal. */
struct bucket_losses bucket_store_losses(struct bucket_store *store);
