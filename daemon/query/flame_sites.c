/* The places of a walk's frames, numbered: what a flame graph of call sites merges by. */
#include "query/flame_sites.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"

/* The sites found so far, and the frame whose site is looked for. */
struct search {
    const struct query_frames *frames;
    const struct flame_sites *sites;
    uint32_t wanted;
};

static bool same_site(const void *user, uint32_t position)
{
    const struct search *search = user;
    const struct frame *known = &search->frames->frames[search->sites->frame[position]];
    const struct frame *wanted = &search->frames->frames[search->wanted];
    return known->function == wanted->function && known->file == wanted->file &&
           known->line == wanted->line;
}

static uint64_t hash_frame(const struct frame *frame)
{
    return hash_pair(frame->function, (uint64_t)frame->file << 32 | frame->line);
}

static uint64_t hash_site(const void *user, uint32_t position)
{
    const struct search *search = user;
    return hash_frame(&search->frames->frames[search->sites->frame[position]]);
}

static int number_frames(const struct query_frames *frames, struct index *index,
                         struct flame_sites *sites)
{
    struct search search = {.frames = frames, .sites = sites};
    for (; search.wanted < frames->count; search.wanted++) {
        uint64_t hash = hash_frame(&frames->frames[search.wanted]);
        uint32_t site = index_find(index, hash, same_site, &search);
        if (site == INDEX_EMPTY) {
            site = sites->count++;
            sites->frame[site] = search.wanted;
            if (index_add(index, hash, site, hash_site, &search))
                return -ENOMEM;
        }
        sites->of_frame[search.wanted] = site;
    }
    return 0;
}

int flame_sites_new(const struct query_frames *frames, struct flame_sites **ret_sites)
{
    _cleanup_(index_clear) struct index index = {0};
    _cleanup_flame_sites_ struct flame_sites *sites = calloc(1, sizeof *sites);
    if (!sites)
        return -ENOMEM;
    sites->of_frame = calloc(frames->count + 1ul, sizeof *sites->of_frame);
    sites->frame = calloc(frames->count + 1ul, sizeof *sites->frame);
    if (!sites->of_frame || !sites->frame)
        return -ENOMEM;
    int error = number_frames(frames, &index, sites);
    if (!error)
        *ret_sites = take_pointer(sites);
    return error;
}

void flame_sites_free(struct flame_sites *sites)
{
    if (!sites)
        return;
    free(sites->of_frame);
    free(sites->frame);
    free(sites);
}
