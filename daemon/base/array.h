/* Growing arrays: a pointer, a count and a capacity that the caller keeps beside each other. */
#pragma once

#include <stddef.h>

/*
 * Makes room for at least `want` items of `item_bytes` each in *items, doubling the capacity.
 * `items` is the address of the array pointer. Returns 0, or -ENOMEM with the array untouched.
 */
int array_reserve(void *items, size_t *capacity, size_t want, size_t item_bytes);
