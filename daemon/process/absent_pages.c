/* Brings pages of stacks into memory by reading them. */
#include "process/absent_pages.h"

#include <unistd.h>

#include "lprofd/privilege.h"
#include "process/maps.h"

void absent_pages_note(struct absent_pages *pages, pid_t pid, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < pages->count; i++)
        if (pages->ranges[i].pid == pid && pages->ranges[i].start == start)
            return;
    if (pages->count < ABSENT_RANGES_MAX && start < end)
        pages->ranges[pages->count++] = (struct absent_range){pid, start, end};
}

static void read_pages(pid_t pid, uint64_t start, uint64_t end)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    char byte;
    for (uint64_t address = start; address < end; address += page - address % page)
        if (privilege_read_memory(pid, address, &byte, sizeof byte))
            return;
}

struct fetch {
    const struct absent_pages *pages;
    pid_t pid;
};

static int fetch_in_mapping(void *user, const struct record_mapping *mapping)
{
    const struct fetch *fetch = user;
    uint64_t mapping_end = mapping->start + mapping->length;
    for (size_t i = 0; i < fetch->pages->count; i++) {
        struct absent_range range = fetch->pages->ranges[i];
        if (range.pid == fetch->pid && range.start >= mapping->start && range.start < mapping_end)
            read_pages(range.pid, range.start, range.end < mapping_end ? range.end : mapping_end);
    }
    return 0;
}

static bool is_first_of_pid(const struct absent_pages *pages, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (pages->ranges[i].pid == pages->ranges[at].pid)
            return false;
    return true;
}

void absent_pages_fetch(struct absent_pages *pages)
{
    for (size_t i = 0; i < pages->count; i++) {
        struct fetch fetch = {pages, pages->ranges[i].pid};
        if (is_first_of_pid(pages, i))
            maps_read_anonymous(fetch.pid, fetch_in_mapping, &fetch);
    }
    pages->count = 0;
}
