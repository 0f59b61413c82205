/* Line tables of a jitdump's code, and the search for what was at an address at a time. */
#include "symbol/jit_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/reader.h"

#define LINES_MAX ((size_t)1 << 22)
#define ENTRY_BYTES 16 /* before its file name */
#define FILE_BYTES_MAX 4096
/* Codes that may lie over each other at an address before its past is not searched any more. */
#define VERSIONS_MAX 4096

/*
 * V8 and LLVM write addresses 64 bytes further on than the specification says, because `perf
 * inject` puts the code behind an ELF header of that size. All their lines are, so the least one
 * tells: code begins with a line of its own at its first byte.
 */
#define HEADER_SHIFT 0x40

static uint32_t shift_of(const struct jitdump *dump)
{
    return dump->least_offset == HEADER_SHIFT ? HEADER_SHIFT : 0;
}

/* BEAM's first entry is of a prologue before the code (48 bytes), and goes on into it. */
#define LEAD_BYTES 0x80

static bool is_inside(const struct jit_code *code, uint64_t address)
{
    uint64_t lead = code->start < LEAD_BYTES ? code->start : LEAD_BYTES;
    return address - (code->start - lead) <= lead + code->bytes + HEADER_SHIFT;
}

/* Bytes that somebody would call a name: V8 has written freed memory there. */
static bool is_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    return length > 0;
}

/*
 * The length of the file name that the reader is at. A name that has zeros in it, because it is no
 * text at all, goes on up to the next entry that lies inside the code.
 */
static size_t name_length(const struct reader *reader, const struct jit_code *code, bool is_last)
{
    const char *name = (const char *)reader->bytes + reader->offset;
    size_t left = reader_left(reader), most = left < FILE_BYTES_MAX ? left : FILE_BYTES_MAX;
    size_t length = strnlen(name, most);
    for (size_t end = length; !is_last && end < most; end++) {
        uint64_t address;
        if (name[end] || left - end - 1 < ENTRY_BYTES)
            continue;
        memcpy(&address, name + end + 1, sizeof address);
        if (is_inside(code, address))
            return end;
    }
    return length;
}

static int find_file(struct jitdump *dump, const char *name, size_t length, uint32_t *file)
{
    if (length == 1 && name[0] == '\xff') /* the same as in the entry before */
        return 0;
    *file = 0;
    return is_name(name, length) ? string_table_intern(&dump->names, name, length, file) : 0;
}

static int add_line(struct jitdump *dump, struct jit_line line)
{
    if (array_reserve(&dump->lines, &dump->line_capacity, dump->line_count + 1,
                      sizeof *dump->lines))
        return -ENOMEM;
    dump->lines[dump->line_count++] = line;
    if (line.offset < dump->least_offset)
        dump->least_offset = line.offset;
    return 0;
}

static int compare_offsets(const void *left_item, const void *right_item)
{
    const struct jit_line *left = left_item, *right = right_item;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static void sort_lines(struct jit_line *lines, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (lines[i - 1].offset > lines[i].offset) {
            qsort(lines, count, sizeof *lines, compare_offsets);
            return;
        }
    }
}

/* Entries that lie elsewhere are left out. */
static int read_entries(struct jitdump *dump, const struct jit_code *code, struct reader *reader,
                        uint64_t count, unsigned *ret_problems)
{
    uint32_t file = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t address = reader_u64(reader);
        uint32_t line = reader_u32(reader), column = reader_u32(reader);
        bool inside = is_inside(code, address);
        if (reader->failed || !inside)
            *ret_problems |= JITDUMP_DAMAGED;
        if (reader->failed)
            return 0;
        if (dump->line_count >= LINES_MAX) {
            *ret_problems |= JITDUMP_TOO_LARGE;
            return 0;
        }
        const char *name = (const char *)reader->bytes + reader->offset;
        size_t length = name_length(reader, code, i + 1 == count);
        int error = find_file(dump, name, length, &file);
        if (!error && inside)
            error = add_line(
                dump, (struct jit_line){
                          .offset = address > code->start ? (uint32_t)(address - code->start) : 0,
                          .line = line <= INT32_MAX ? line : 0,
                          .column = column <= INT32_MAX ? column : 0,
                          .file = file,
                      });
        if (error)
            return error;
        reader_take(reader, length + 1);
    }
    return 0;
}

int jit_lines_read(struct jitdump *dump, struct jit_code *code, const unsigned char *bytes,
                   size_t length, unsigned *ret_problems)
{
    struct reader reader = {.bytes = bytes, .length = length};
    uint64_t start = reader_u64(&reader), count = reader_u64(&reader);
    if (reader.failed || start != code->start || code->bytes > UINT32_MAX - HEADER_SHIFT) {
        *ret_problems |= JITDUMP_DAMAGED;
        return 0;
    }
    size_t first = dump->line_count;
    int error = read_entries(dump, code, &reader, count, ret_problems);
    if (error || dump->line_count == first)
        return error;
    code->first_line = (uint32_t)first;
    code->line_count = (uint32_t)(dump->line_count - first);
    sort_lines(dump->lines + first, code->line_count);
    return 0;
}

/* --- which code ----------------------------------------------------------------------------- */

static int compare_starts(const void *left_item, const void *right_item, void *user)
{
    const struct jit_code *codes = user;
    uint32_t left = *(const uint32_t *)left_item, right = *(const uint32_t *)right_item;
    if (codes[left].start != codes[right].start)
        return codes[left].start < codes[right].start ? -1 : 1;
    return left < right ? -1 : left > right;
}

static int build_latest(const struct jitdump *dump, struct range_map *ret_map)
{
    struct range *ranges = calloc(dump->code_count, sizeof *ranges);
    if (!ranges)
        return -ENOMEM;
    for (uint32_t i = 0; i < dump->code_count; i++) {
        const struct jit_code *code = &dump->codes[i];
        ranges[i] = (struct range){code->start, code->start + code->bytes, i, i};
    }
    int error = range_map_build(ranges, dump->code_count, ret_map);
    free(ranges);
    return error;
}

int jit_codes_sort(struct jitdump *dump)
{
    size_t count = dump->code_count;
    struct range_map latest;
    uint32_t *by_start = calloc(count, sizeof *by_start);
    uint64_t *reach = calloc(count, sizeof *reach);
    if (!by_start || !reach || build_latest(dump, &latest)) {
        free(by_start);
        free(reach);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++)
        by_start[i] = i;
    qsort_r(by_start, count, sizeof *by_start, compare_starts, dump->codes);
    uint64_t furthest = 0;
    for (size_t i = 0; i < count; i++) {
        const struct jit_code *code = &dump->codes[by_start[i]];
        if (code->start + code->bytes > furthest)
            furthest = code->start + code->bytes;
        reach[i] = furthest;
    }
    free(dump->by_start);
    free(dump->reach);
    range_map_free(&dump->latest);
    dump->by_start = by_start;
    dump->reach = reach;
    dump->latest = latest;
    dump->sorted_count = count;
    return 0;
}

/* A time of ours in the dump's clock; UINT64_MAX when the two cannot be compared. */
static uint64_t dump_time(const struct jitdump *dump, uint64_t time_ns)
{
    if (!dump->by_counter)
        return time_ns;
    if (dump->counts_per_ns <= 0)
        return UINT64_MAX;
    double since = ((double)time_ns - (double)dump->counter_ns) * dump->counts_per_ns;
    double time = (double)dump->counter + since;
    return time <= 0 ? 0 : time >= 0x1p63 ? UINT64_MAX : (uint64_t)time;
}

static bool is_better(const struct jitdump *dump, uint32_t candidate, uint32_t best, uint64_t time)
{
    uint64_t ours = dump->codes[candidate].time, theirs = dump->codes[best].time;
    if (ours <= time)
        return theirs > time || ours > theirs || (ours == theirs && candidate > best);
    return theirs > time && (ours < theirs || (ours == theirs && candidate < best));
}

/* Of the codes that ever were at `ip`, the last until `time`, else the first after it. */
static uint32_t find_version(const struct jitdump *dump, uint64_t ip, uint64_t time, uint32_t best)
{
    size_t low = 0, high = dump->sorted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dump->codes[dump->by_start[middle]].start <= ip)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t steps = 0; low-- > 0 && dump->reach[low] > ip && steps < VERSIONS_MAX; steps++) {
        uint32_t candidate = dump->by_start[low];
        const struct jit_code *code = &dump->codes[candidate];
        if (ip - code->start < code->bytes && is_better(dump, candidate, best, time))
            best = candidate;
    }
    return best;
}

static const struct jit_line *find_line(const struct jitdump *dump, const struct jit_code *code,
                                        uint64_t ip)
{
    if (code->line_count == 0)
        return NULL;
    uint64_t offset = ip - code->start + shift_of(dump);
    const struct jit_line *lines = dump->lines + code->first_line;
    size_t low = 0, high = code->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &lines[low - 1] : NULL;
}

bool jitdump_find(const struct jitdump *dump, uint64_t ip, uint64_t time_ns,
                  struct jit_place *ret_place)
{
    uint32_t found = range_map_find(&dump->latest, ip);
    if (found == RANGE_NONE)
        return false;
    uint64_t time = dump_time(dump, time_ns);
    uint32_t latest = found;
    if (dump->codes[found].time > time)
        found = find_version(dump, ip, time, found);
    const struct jit_code *code = &dump->codes[found];
    const struct jit_line *line = find_line(dump, code, ip);
    *ret_place = (struct jit_place){
        .name = string_table_get(&dump->names, code->name),
        .was_replaced = found != latest,
    };
    if (line) {
        ret_place->file = line->file ? string_table_get(&dump->names, line->file) : NULL;
        ret_place->line = line->line;
        ret_place->column = line->column;
    }
    return true;
}
