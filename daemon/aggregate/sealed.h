/* Sealed buckets: immutable for whoever holds a reference. */
#pragma once

#include <stdatomic.h>

#include "lprofd/profile.h"

struct sealed_bucket {
    atomic_uint references;
    struct bucket bucket; /* last: it ends in a flexible array */
};

/* One of these entries, as they are, with one reference. NULL without memory. */
struct sealed_bucket *sealed_copy(uint64_t start_ns, uint64_t end_ns,
                                  const struct bucket_entry *entries, size_t count);
/* Gives a reference back; NULL is ignored. */
void bucket_release(struct sealed_bucket *sealed);

/* Memory held by one that is full, in bytes. */
size_t sealed_bytes(const struct sealed_bucket *sealed);

/* Puts the entries in the order that struct bucket asks for. */
void sealed_sort(struct sealed_bucket *sealed);

/*
 * Two buckets that follow each other as one; all are in order. NULL without memory, or where the
 * hits of a stack would be more than their type holds.
 */
struct sealed_bucket *sealed_merge(const struct bucket *older, const struct bucket *newer);
