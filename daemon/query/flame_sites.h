/* The places of a walk's frames, numbered: what a flame graph of call sites merges by. */
#pragma once

#include "query/frames.h"

/* A site is a function, file and line: where a caller calls, or a leaf runs. */
struct flame_sites {
    uint32_t count;
    uint32_t *of_frame; /* owned; per frame of the walk: its site */
    uint32_t *frame;    /* owned; per site: the first frame that is there */
};

/* 0 or -ENOMEM. O(frames). */
int flame_sites_new(const struct query_frames *frames, struct flame_sites **ret_sites);
void flame_sites_free(struct flame_sites *sites);

static inline void flame_sites_cleanup(struct flame_sites **sites)
{
    flame_sites_free(*sites);
}

#define _cleanup_flame_sites_ __attribute__((cleanup(flame_sites_cleanup)))
