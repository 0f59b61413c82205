/* A small cache of answers. */
#include "http/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SLOTS 32

struct slot {
    char *key; /* owned; NULL: free */
    uint64_t epoch;
    struct blob *blob; /* owned reference */
    uint64_t used;     /* tick of the last use */
};

struct cache {
    pthread_mutex_t lock;
    size_t max_bytes, bytes;
    uint64_t ticks;
    struct slot slots[SLOTS];
};

int cache_new(size_t max_bytes, struct cache **ret_cache)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    pthread_mutex_init(&cache->lock, NULL);
    cache->max_bytes = max_bytes;
    *ret_cache = cache;
    return 0;
}

static void empty_slot(struct cache *cache, struct slot *slot)
{
    if (!slot->key)
        return;
    cache->bytes -= slot->blob->length;
    blob_unref(slot->blob);
    free(slot->key);
    *slot = (struct slot){0};
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        empty_slot(cache, &cache->slots[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct slot *find_slot(struct cache *cache, const char *key)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (cache->slots[i].key && !strcmp(cache->slots[i].key, key))
            return &cache->slots[i];
    return NULL;
}

struct blob *cache_get(struct cache *cache, const char *key, uint64_t epoch)
{
    struct blob *blob = NULL;
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = find_slot(cache, key);
    if (slot && slot->epoch == epoch) {
        slot->used = ++cache->ticks;
        blob = blob_ref(slot->blob);
    }
    pthread_mutex_unlock(&cache->lock);
    return blob;
}

static struct slot *oldest_slot(struct cache *cache, bool must_be_used)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (must_be_used && !slot->key)
            continue;
        if (!oldest || slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

void cache_put(struct cache *cache, const char *key, uint64_t epoch, struct blob *blob)
{
    if (blob->length > cache->max_bytes / 2)
        return;
    char *copy = strdup(key);
    if (!copy)
        return;
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = find_slot(cache, key);
    if (!slot)
        slot = oldest_slot(cache, false);
    empty_slot(cache, slot);
    while (cache->bytes + blob->length > cache->max_bytes)
        empty_slot(cache, oldest_slot(cache, true));
    *slot = (struct slot){copy, epoch, blob_ref(blob), ++cache->ticks};
    cache->bytes += blob->length;
    pthread_mutex_unlock(&cache->lock);
}
