/* Pairing the items of two lists by keys: both are sorted, and merged. */
#include "query/diff_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

struct item {
    uint64_t hash; /* of the key, so that texts are rarely compared */
    const struct diff_key *key;
    uint32_t index;
};

static int compare_keys(const struct item *left, const struct item *right)
{
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    for (size_t i = 0; i < 2; i++)
        if (left->key->numbers[i] != right->key->numbers[i])
            return left->key->numbers[i] < right->key->numbers[i] ? -1 : 1;
    return strcmp(left->key->text, right->key->text);
}

static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    int order = compare_keys(left, right);
    if (order == 0)
        order = (left->key->order > right->key->order) - (left->key->order < right->key->order);
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

static size_t collect(struct diff_list list, struct item *ret_items)
{
    size_t count = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct diff_key *key = &list.keys[i];
        if (list.pair[i] != DIFF_UNPAIRED || !key->text)
            continue;
        uint64_t hash = hash_pair(hash_bytes(key->text, strlen(key->text)),
                                  hash_pair(key->numbers[0], key->numbers[1]));
        ret_items[count++] = (struct item){.hash = hash, .key = key, .index = i};
    }
    qsort(ret_items, count, sizeof *ret_items, compare_items);
    return count;
}

/* How many items from `first` on have its key. */
static size_t run_length(const struct item *items, size_t first, size_t count)
{
    size_t end = first + 1;
    while (end < count && compare_keys(&items[first], &items[end]) == 0)
        end++;
    return end - first;
}

int diff_pair(struct diff_list a, struct diff_list b, bool unique)
{
    _cleanup_free_ struct item *left = malloc((a.count + 1ul) * sizeof *left);
    _cleanup_free_ struct item *right = malloc((b.count + 1ul) * sizeof *right);
    if (!left || !right)
        return -ENOMEM;
    size_t left_count = collect(a, left), right_count = collect(b, right);
    for (size_t i = 0, j = 0; i < left_count && j < right_count;) {
        int order = compare_keys(&left[i], &right[j]);
        size_t left_run = order <= 0 ? run_length(left, i, left_count) : 0;
        size_t right_run = order >= 0 ? run_length(right, j, right_count) : 0;
        bool wanted = !unique || (left_run == 1 && right_run == 1);
        for (size_t k = 0; wanted && k < left_run && k < right_run; k++) {
            a.pair[left[i + k].index] = right[j + k].index;
            b.pair[right[j + k].index] = left[i + k].index;
        }
        i += left_run;
        j += right_run;
    }
    return 0;
}
