/* The order of tables: the most expensive row first. */
#include "query/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BYTES 8
#define BYTE_VALUES 256

struct item {
    uint64_t key;
    size_t row;
};

struct order {
    struct item *items, *spare;
    size_t count;
};

static unsigned byte_of(uint64_t key, unsigned byte)
{
    return (unsigned)(key >> byte * 8) & 0xff;
}

static void sort_by_byte(struct order *order, unsigned byte, size_t *first)
{
    size_t sum = 0;
    for (unsigned i = 0; i < BYTE_VALUES; i++) {
        size_t count = first[i];
        first[i] = sum;
        sum += count;
    }
    for (size_t i = 0; i < order->count; i++)
        order->spare[first[byte_of(order->items[i].key, byte)]++] = order->items[i];
    struct item *sorted = order->spare;
    order->spare = order->items;
    order->items = sorted;
}

/* Stable; bytes that are the same in all keys cost nothing. */
static void sort_by_key(struct order *order)
{
    size_t counts[BYTES][BYTE_VALUES] = {0};
    for (size_t i = 0; i < order->count; i++)
        for (unsigned byte = 0; byte < BYTES; byte++)
            counts[byte][byte_of(order->items[i].key, byte)]++;
    for (unsigned byte = 0; byte < BYTES; byte++)
        if (counts[byte][byte_of(order->items[0].key, byte)] != order->count)
            sort_by_byte(order, byte, counts[byte]);
}

/* The keys from the least to the most significant: a stable sort by each of them in turn. */
enum key { ID, OTHER_HITS, OTHER_TIME, HITS, TIME, KEY_COUNT };

static uint64_t key_of(const char *row, const struct query_ranking *ranking, enum key key,
                       enum query_sort sort)
{
    const struct query_cost *cost = (const void *)(row + ranking->cost_offset);
    bool by_self = (sort == QUERY_SORT_SELF) == (key == HITS || key == TIME);
    switch (key) {
    case ID:
        return ranking->id(row);
    case OTHER_HITS:
    case HITS:
        return ~(by_self ? cost->self_hits : cost->total_hits);
    default:
        return ~(by_self ? cost->self_time_ns : cost->total_time_ns);
    }
}

/* Moves each row to its place, one cycle of the permutation after the other. */
static void move_rows(char *rows, size_t row_bytes, struct item *items, size_t count, char *held)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].row == i)
            continue;
        memcpy(held, rows + i * row_bytes, row_bytes);
        size_t to = i;
        while (items[to].row != i) {
            size_t from = items[to].row;
            memcpy(rows + to * row_bytes, rows + from * row_bytes, row_bytes);
            items[to].row = to;
            to = from;
        }
        memcpy(rows + to * row_bytes, held, row_bytes);
        items[to].row = to;
    }
}

int query_rank(void *rows, size_t count, const struct query_ranking *ranking, enum query_sort sort)
{
    if (count < 2)
        return 0;
    _cleanup_free_ struct item *items = calloc(count, 2 * sizeof *items);
    _cleanup_free_ char *held = malloc(ranking->row_bytes);
    if (!items || !held)
        return -ENOMEM;
    struct order order = {.items = items, .spare = items + count, .count = count};
    for (size_t i = 0; i < count; i++)
        order.items[i].row = i;
    for (enum key key = ID; key < KEY_COUNT; key++) {
        for (size_t i = 0; i < count; i++) {
            struct item *item = &order.items[i];
            const char *row = (const char *)rows + item->row * ranking->row_bytes;
            item->key = key_of(row, ranking, key, sort);
        }
        sort_by_key(&order);
    }
    move_rows(rows, ranking->row_bytes, order.items, count, held);
    return 0;
}
