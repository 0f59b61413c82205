/*
 * The longest common subsequence of two sequences of numbers, in linear space (E. W. Myers, "An
 * O(ND) difference algorithm and its variations", Algorithmica 1, 1986, section 4b). A place is
 * (x, y): x items of a and y of b are behind it. A diagonal is x - y.
 */
#include "query/diff_myers.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/*
 * After that many edits from both ends the search goes on from the place that came furthest. One
 * search costs at most EDITS_MAX times the items it gets past, so that all cost no more together.
 */
#define EDITS_MAX 128

struct box {
    int64_t x, y, x_end, y_end;
};

struct myers {
    const uint32_t *a, *b;
    uint32_t *matches;
    int64_t *ahead, *back; /* owned; by diagonal + offset: the furthest x from either end */
    int64_t offset;
    struct box *boxes; /* owned; still to be compared */
    size_t count, capacity;
};

static void myers_clear(struct myers *myers)
{
    free(myers->ahead);
    free(myers->back);
    free(myers->boxes);
}

#define _cleanup_myers_ __attribute__((cleanup(myers_clear)))

static int push(struct myers *myers, struct box box)
{
    if (box.x >= box.x_end || box.y >= box.y_end)
        return 0;
    if (array_reserve(&myers->boxes, &myers->capacity, myers->count + 1, sizeof box))
        return -ENOMEM;
    myers->boxes[myers->count++] = box;
    return 0;
}

/* Matches what is equal at both ends of the box, and takes it off. */
static void trim(struct myers *myers, struct box *box)
{
    while (box->x < box->x_end && box->y < box->y_end && myers->a[box->x] == myers->b[box->y])
        myers->matches[box->x++] = (uint32_t)++box->y;
    while (box->x < box->x_end && box->y < box->y_end &&
           myers->a[box->x_end - 1] == myers->b[box->y_end - 1])
        myers->matches[--box->x_end] = (uint32_t)box->y_end--;
}

/* The diagonals that one end's search has reached: low to high, in steps of two. */
struct reach {
    int64_t low, high;
};

/* One more edit: the next diagonals on both sides, unless they are outside of the box. */
static void widen(struct reach *reach, const struct box *box, int64_t *furthest, int64_t unreached)
{
    int64_t lowest = box->x - box->y_end, highest = box->x_end - box->y;
    if (reach->low > lowest)
        furthest[--reach->low - 1] = unreached;
    else
        reach->low++;
    if (reach->high < highest)
        furthest[++reach->high + 1] = unreached;
    else
        reach->high--;
}

/* True when the search from the box's beginning met the one from its end, at *ret_x. */
static bool step_ahead(const struct myers *myers, const struct box *box, struct reach *reach,
                       const struct reach *met, int64_t *ret_x, int64_t *ret_y)
{
    int64_t *ahead = myers->ahead + myers->offset, *back = myers->back + myers->offset;
    widen(reach, box, ahead, -1);
    for (int64_t k = reach->high; k >= reach->low; k -= 2) {
        int64_t x = ahead[k - 1] < ahead[k + 1] ? ahead[k + 1] : ahead[k - 1] + 1;
        int64_t y = x - k;
        while (x < box->x_end && y < box->y_end && myers->a[x] == myers->b[y]) {
            x++;
            y++;
        }
        ahead[k] = x;
        if (met && met->low <= k && k <= met->high && back[k] <= x) {
            *ret_x = x;
            *ret_y = y;
            return true;
        }
    }
    return false;
}

/* The same from the box's end. */
static bool step_back(const struct myers *myers, const struct box *box, struct reach *reach,
                      const struct reach *met, int64_t *ret_x, int64_t *ret_y)
{
    int64_t *ahead = myers->ahead + myers->offset, *back = myers->back + myers->offset;
    widen(reach, box, back, INT64_MAX);
    for (int64_t k = reach->high; k >= reach->low; k -= 2) {
        int64_t x = back[k - 1] < back[k + 1] ? back[k - 1] : back[k + 1] - 1;
        int64_t y = x - k;
        while (x > box->x && y > box->y && myers->a[x - 1] == myers->b[y - 1]) {
            x--;
            y--;
        }
        back[k] = x;
        if (met && met->low <= k && k <= met->high && x <= ahead[k]) {
            *ret_x = x;
            *ret_y = y;
            return true;
        }
    }
    return false;
}

/* Moves (x, x - k) along its diagonal into the box. */
static int64_t clamp_x(const struct box *box, int64_t x, int64_t k)
{
    x = x > box->x_end ? box->x_end : x;
    x = x - k > box->y_end ? box->y_end + k : x;
    x = x < box->x ? box->x : x;
    return x - k < box->y ? box->y + k : x;
}

/* The place that either search got furthest to from its end. */
static void take_furthest(const struct myers *myers, const struct box *box,
                          const struct reach *ahead, const struct reach *back, int64_t *ret_x,
                          int64_t *ret_y)
{
    int64_t best = -1;
    for (int64_t k = ahead->high; k >= ahead->low; k -= 2) {
        int64_t x = clamp_x(box, myers->ahead[myers->offset + k], k), y = x - k;
        if (x + y - box->x - box->y > best) {
            best = x + y - box->x - box->y;
            *ret_x = x;
            *ret_y = y;
        }
    }
    for (int64_t k = back->high; k >= back->low; k -= 2) {
        int64_t x = clamp_x(box, myers->back[myers->offset + k], k), y = x - k;
        if (box->x_end + box->y_end - x - y > best) {
            best = box->x_end + box->y_end - x - y;
            *ret_x = x;
            *ret_y = y;
        }
    }
}

/* A place on a shortest path through the box, whose ends both differ. */
static void find_middle(const struct myers *myers, const struct box *box, int64_t *ret_x,
                        int64_t *ret_y)
{
    struct reach ahead = {box->x - box->y, box->x - box->y};
    struct reach back = {box->x_end - box->y_end, box->x_end - box->y_end};
    bool odd = (ahead.low - back.low) & 1;
    myers->ahead[myers->offset + ahead.low] = box->x;
    myers->back[myers->offset + back.low] = box->x_end;
    for (int edits = 0; edits < EDITS_MAX; edits++)
        if (step_ahead(myers, box, &ahead, odd ? &back : NULL, ret_x, ret_y) ||
            step_back(myers, box, &back, odd ? NULL : &ahead, ret_x, ret_y))
            return;
    take_furthest(myers, box, &ahead, &back, ret_x, ret_y);
}

static int myers_init(struct myers *myers, const uint32_t *a, uint32_t a_count, const uint32_t *b,
                      uint32_t b_count, uint32_t *matches)
{
    size_t diagonals = (size_t)a_count + b_count + 3;
    *myers = (struct myers){
        .a = a,
        .b = b,
        .ahead = malloc(diagonals * sizeof *myers->ahead),
        .back = malloc(diagonals * sizeof *myers->back),
        .offset = (int64_t)b_count + 1,
    };
    myers->matches = matches;
    return myers->ahead && myers->back ? 0 : -ENOMEM;
}

int diff_myers(const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count,
               uint32_t *matches)
{
    _cleanup_myers_ struct myers myers = {0};
    int error = myers_init(&myers, a, a_count, b, b_count, matches);
    if (!error)
        error = push(&myers, (struct box){0, 0, a_count, b_count});
    while (!error && myers.count) {
        struct box box = myers.boxes[--myers.count];
        trim(&myers, &box);
        if (box.x == box.x_end || box.y == box.y_end)
            continue;
        int64_t x = box.x, y = box.y;
        find_middle(&myers, &box, &x, &y);
        error = push(&myers, (struct box){box.x, box.y, x, y});
        if (!error)
            error = push(&myers, (struct box){x, y, box.x_end, box.y_end});
    }
    return error;
}
