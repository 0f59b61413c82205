/* Names of files in the cache on disk, and which of them go. */
#pragma once

#include <stdint.h>

#define DISK_CACHE_SUFFIX ".symbols"
#define DISK_CACHE_TEMPORARY_SUFFIX ".new"
/* 32 digits, the longer suffix and a NUL. */
#define DISK_CACHE_NAME_BYTES 41

/* What a file of that length takes on disk, about. */
uint64_t disk_cache_round(uint64_t bytes);

/*
 * Removes files, those that were not used for longest first, until what is left takes at most
 * `bytes_max`; and what writers that died left behind. Only files that have our names. 0 or -errno.
 */
int disk_cache_trim(int directory_fd, uint64_t bytes_max);
