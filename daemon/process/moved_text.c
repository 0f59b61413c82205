/* Text that a program has moved to anonymous memory in its place. */
#include "process/moved_text.h"

#include <string.h>
#include <unistd.h>

/* What is compared: so many pieces, from the first bytes to the last. */
#define PIECES 8
#define PIECE_BYTES 64
/* No file is longer; sums of two are no overflow. */
#define SEGMENT_BYTES_MAX (UINT64_C(1) << 62)

/* Pages of the segment's ends are mapped whole. */
static bool is_within(const struct module_segment *segment, uint64_t vaddr, uint64_t bytes)
{
    uint64_t page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;
    uint64_t before = segment->vaddr & page_mask;
    if (segment->bytes > SEGMENT_BYTES_MAX)
        return false;
    uint64_t mapped = (before + segment->bytes + page_mask) & ~page_mask;
    uint64_t offset = vaddr - (segment->vaddr - before);
    return offset < mapped && bytes <= mapped - offset;
}

static const struct module_segment *find_segment(const struct module *module, uint64_t vaddr,
                                                 uint64_t bytes)
{
    for (size_t i = 0; i < module->segment_count; i++)
        if (is_within(&module->segments[i], vaddr, bytes))
            return &module->segments[i];
    return NULL;
}

static bool is_zero(const unsigned char *bytes)
{
    static const unsigned char zeros[PIECE_BYTES];
    return memcmp(bytes, zeros, sizeof zeros) == 0;
}

/* False when they differ; *told when they are not just memory that nobody has written yet. */
static bool is_same_piece(const struct module *module, uint64_t offset, pid_t pid, uint64_t address,
                          bool *told)
{
    unsigned char in_file[PIECE_BYTES], in_memory[PIECE_BYTES];
    if (pread(module->fd, in_file, sizeof in_file, (off_t)offset) != sizeof in_file ||
        privilege_read_memory(pid, address, in_memory, sizeof in_memory))
        return false;
    *told |= !is_zero(in_file);
    return memcmp(in_file, in_memory, sizeof in_file) == 0;
}

/*
 * Where the memory lies is not enough: no record tells of a library that was unmapped, and compiled
 * code may have its place. Code that is only copied after its mapping was told has another record
 * once it is made read-only, as it is by all who do this.
 */
bool moved_text_is_of(const struct module *module, uint64_t bias, const struct target *target,
                      uint64_t start, uint64_t end)
{
    const struct module_segment *segment = find_segment(module, start - bias, end - start);
    if (!segment || module->fd < 0)
        return false;
    uint64_t first = start - bias, last = end - bias;
    if (first < segment->vaddr)
        first = segment->vaddr;
    if (last > segment->vaddr + segment->bytes)
        last = segment->vaddr + segment->bytes;
    if (last < first || last - first < PIECE_BYTES)
        return false;
    uint64_t distance = (last - first - PIECE_BYTES) / (PIECES - 1);
    bool told = false;
    for (uint64_t i = 0; i < PIECES; i++) {
        uint64_t vaddr = first + i * distance;
        if (!is_same_piece(module, segment->offset + (vaddr - segment->vaddr), target->pid,
                           vaddr + bias, &told))
            return false;
    }
    return told;
}
