/*
 * history HOURS: counts and seals so many hours of a session into a bucket store, as the pipeline
 * does at 997 Hz with 300 hot stacks among 30,000, and prints as JSON what that took.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "aggregate/buckets.h"

#define SAMPLES_EACH 100 /* of a bucket of 100 ms */
#define STACKS_HOT 300u
#define STACKS 30000u
#define LIMIT_BYTES ((size_t)256 << 20)

static uint32_t random_number(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

/* Nine samples of ten are of the hot stacks. */
static uint32_t random_stack(void)
{
    return 1 + random_number() % (random_number() % 10 ? STACKS_HOT : STACKS);
}

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t count_buckets(struct bucket_store *store)
{
    struct sealed_bucket **buckets;
    size_t count;
    uint64_t end_ns, knows_since_ns;
    if (bucket_store_snapshot(store, &buckets, &count, &end_ns, &knows_since_ns))
        exit(1);
    for (size_t i = 0; i < count; i++)
        bucket_release(buckets[i]);
    free(buckets);
    return count;
}

int main(int argc, char **argv)
{
    uint64_t hours = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct bucket_store *store;
    if (bucket_store_new(LIMIT_BYTES, &store))
        return 1;
    double start = cpu_seconds();
    for (uint64_t at_ns = 0; at_ns < hours * 3600 * 1000000000; at_ns += BUCKET_NS) {
        for (unsigned i = 0; i < SAMPLES_EACH; i++)
            if (bucket_store_count(store, random_stack(), random_number() % 4, 1000000))
                return 1;
        if (bucket_store_seal(store, at_ns + BUCKET_NS))
            return 1;
    }
    printf("{\"hours\":%" PRIu64 ",\"cpu_s\":%.6f,\"bytes\":%zu,\"buckets\":%zu}\n", hours,
           cpu_seconds() - start, bucket_store_bytes(store), count_buckets(store));
    bucket_store_free(store);
    return 0;
}
