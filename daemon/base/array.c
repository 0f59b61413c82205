/* Growing arrays. */
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int array_reserve(void *items, size_t *capacity, size_t want, size_t item_bytes)
{
    if (want <= *capacity)
        return 0;

    size_t grown = *capacity ? *capacity : 8;
    while (grown < want) {
        if (grown > SIZE_MAX / 2)
            return -ENOMEM;
        grown *= 2;
    }
    if (grown > SIZE_MAX / item_bytes)
        return -ENOMEM;

    void *old;
    memcpy(&old, items, sizeof old);
    void *new = realloc(old, grown * item_bytes);
    if (!new)
        return -ENOMEM;
    memcpy(items, &new, sizeof new);
    *capacity = grown;
    return 0;
}
