/* A small cache of answers: by session, its epoch and the request's target. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/blob.h"

struct cache;

/* Keeps at most `max_bytes` of bodies. 0 or -ENOMEM. */
int cache_new(size_t max_bytes, struct cache **ret_cache);
void cache_free(struct cache *cache);

/* A new reference to the answer, or NULL. `key` is borrowed. */
struct blob *cache_get(struct cache *cache, const char *key, uint64_t epoch);
/* Keeps a reference of its own, dropping what was used least recently. */
void cache_put(struct cache *cache, const char *key, uint64_t epoch, struct blob *blob);
