/* Tasks that two events sample, and which of the two is one too many. */
#include "capture/doubled_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

void doubled_tasks_clear(struct doubled_tasks *tasks)
{
    free(tasks->events);
    *tasks = (struct doubled_tasks){0};
}

int doubled_tasks_add(struct doubled_tasks *tasks, uint64_t event_id, int fd)
{
    if (array_reserve(&tasks->events, &tasks->capacity, tasks->count + 1, sizeof *tasks->events))
        return -ENOMEM;
    tasks->events[tasks->count++] = (struct doubtful_event){event_id, fd};
    return 0;
}

static int compare_ids(const void *key, const void *element)
{
    uint64_t id = *(const uint64_t *)key, other = ((const struct doubtful_event *)element)->id;
    return id < other ? -1 : id > other;
}

static struct doubtful_event *find(const struct doubled_tasks *tasks, uint64_t event_id)
{
    return bsearch(&event_id, tasks->events, tasks->count, sizeof *tasks->events, compare_ids);
}

static struct sighting *sighting_of(struct doubled_tasks *tasks, pid_t tid)
{
    return &tasks->sightings[hash_u64((uint64_t)tid) % SIGHTINGS];
}

/* A later task with the same tid is another one. */
static void forget(struct doubled_tasks *tasks, pid_t tid)
{
    struct sighting *sighting = sighting_of(tasks, tid);
    if (sighting->tid == tid)
        *sighting = (struct sighting){0};
}

static bool count_sample(struct doubled_tasks *tasks, const struct sample *sample, int *ret_fd)
{
    const struct doubtful_event *own = find(tasks, sample->event_id);
    if (own && own->fd < 0)
        return false;
    struct sighting *last = sighting_of(tasks, sample->tid);
    const struct sighting before = *last;
    *last = (struct sighting){sample->tid, sample->cpu, sample->event_id};
    if (before.tid != sample->tid || before.cpu != sample->cpu ||
        before.event_id == sample->event_id)
        return true;
    bool is_later = sample->event_id > before.event_id;
    struct doubtful_event *later = find(tasks, is_later ? sample->event_id : before.event_id);
    if (!later || later->fd < 0)
        return true;
    *ret_fd = later->fd;
    later->fd = -1;
    if (is_later)
        last->event_id = before.event_id;
    return false; /* the sample before stands for this one */
}

bool doubled_tasks_count(struct doubled_tasks *tasks, const struct record *record, int *ret_fd)
{
    *ret_fd = -1;
    if (!tasks->count)
        return true;
    switch (record->type) {
    case RECORD_SAMPLE:
        return count_sample(tasks, &record->sample, ret_fd);
    case RECORD_EXIT:
        forget(tasks, record->tid);
        return true;
    case RECORD_LOST: /* of whatever ended */
    case RECORD_MISSED:
        memset(tasks->sightings, 0, sizeof tasks->sightings);
        return true;
    default:
        return true;
    }
}
