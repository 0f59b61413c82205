/* Hashing for tables in memory; never for anything an adversary could profit from choosing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Mixes 64 bits so that every input bit reaches every output bit (splitmix64's finaliser). */
static inline uint64_t hash_u64(uint64_t value)
{
    value ^= value >> 30;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    value ^= value >> 27;
    value *= UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static inline uint64_t hash_pair(uint64_t first, uint64_t second)
{
    return hash_u64(first ^ hash_u64(second + UINT64_C(0x9e3779b97f4a7c15)));
}

/* FNV-1a over the bytes, then mixed. */
static inline uint64_t hash_bytes(const void *bytes, size_t length)
{
    const unsigned char *cursor = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ cursor[i]) * UINT64_C(0x100000001b3);
    return hash_u64(hash);
}
