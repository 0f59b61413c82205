/* Reads the records of a jitdump file as it grows. */
#include "symbol/jitdump.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/reader.h"
#include "symbol/jit_lines.h"

#define MAGIC UINT32_C(0x4a695444)
#define VERSION 1
#define HEADER_BYTES 40
#define HEADER_BYTES_MAX 4096
#define FLAG_COUNTER_TIME 1
#define PREFIX_BYTES 16 /* of each record: what it is, its size, its time */
#define LOAD_BYTES 40
#define MOVE_BYTES 48

#if defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_X86_64
#endif

/* Beyond these the rest is not read: a target may write whatever it likes. */
#define RECORDS_MAX ((uint64_t)1 << 22)
#define READ_BYTES_MAX ((uint64_t)512 << 20)
#define CODES_MAX ((size_t)1 << 20)
#define NAMES_BYTES_MAX ((size_t)64 << 20)
#define NAME_BYTES_MAX 1024
#define DEBUG_BYTES_MAX ((size_t)4 << 20)
#define WINDOW_BYTES ((size_t)16 << 10)
/* As far as a moved code is looked for among those that came before. */
#define MOVES_LOOK_BACK 1024
/* The counter's rate is known well enough after this. */
#define CALIBRATION_NS (50 * NS_PER_MS)

enum record_id { CODE_LOAD, CODE_MOVE, CODE_DEBUG_INFO, CODE_CLOSE };

struct record_prefix {
    uint32_t id, bytes;
    uint64_t time;
};

static uint64_t read_counter(void)
{
#if defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return __builtin_ia32_rdtsc();
#endif
}

void jitdump_init(struct jitdump *dump, int fd)
{
    *dump = (struct jitdump){.fd = fd, .least_offset = UINT32_MAX};
    dump->counter = read_counter();
    dump->counter_ns = clock_monotonic_ns();
}

static void give_up(struct jitdump *dump, enum jitdump_problem problem)
{
    dump->problems |= problem;
    dump->is_over = true;
}

/* *ret_bytes is NULL when the file does not have them. 0 or -ENOMEM. */
static int peek(struct jitdump *dump, uint64_t offset, size_t bytes,
                const unsigned char **ret_bytes)
{
    *ret_bytes = NULL;
    bool held = offset >= dump->window_start && offset - dump->window_start <= dump->window_bytes &&
                bytes <= dump->window_bytes - (offset - dump->window_start);
    if (!held) {
        size_t want = bytes > WINDOW_BYTES ? bytes : WINDOW_BYTES;
        if (array_reserve(&dump->window, &dump->window_capacity, want, 1))
            return -ENOMEM;
        ssize_t got;
        do
            got = pread(dump->fd, dump->window, want, (off_t)offset);
        while (got < 0 && errno == EINTR);
        dump->window_start = offset;
        dump->window_bytes = got > 0 ? (size_t)got : 0;
        dump->read_bytes += dump->window_bytes;
        if (dump->window_bytes < bytes)
            return 0;
    }
    *ret_bytes = dump->window + (offset - dump->window_start);
    return 0;
}

static int read_header(struct jitdump *dump)
{
    const unsigned char *bytes;
    if (dump->file_bytes < HEADER_BYTES)
        return 0;
    int error = peek(dump, 0, HEADER_BYTES, &bytes);
    if (error || !bytes)
        return error;
    struct reader reader = {.bytes = bytes, .length = HEADER_BYTES};
    uint32_t magic = reader_u32(&reader), version = reader_u32(&reader);
    uint32_t header_bytes = reader_u32(&reader), machine = reader_u32(&reader);
    reader_take(&reader, 16); /* padding, pid, the time when it was made */
    uint64_t flags = reader_u64(&reader);
    if (magic == 0) /* not written yet: the file was made that long, and mapped, before */
        return 0;
    if (magic != MAGIC || version != VERSION || header_bytes < HEADER_BYTES ||
        header_bytes > HEADER_BYTES_MAX || machine != OWN_MACHINE) {
        give_up(dump, JITDUMP_FOREIGN);
        return 0;
    }
    dump->by_counter = flags & FLAG_COUNTER_TIME;
    dump->offset = header_bytes;
    dump->has_header = true;
    return 0;
}

static int add_code(struct jitdump *dump, struct jit_code code)
{
    if (code.bytes == 0 || code.bytes > UINT64_MAX - code.start)
        return 0;
    if (dump->code_count >= CODES_MAX || dump->names.bytes > NAMES_BYTES_MAX) {
        give_up(dump, JITDUMP_TOO_LARGE);
        return 0;
    }
    if (array_reserve(&dump->codes, &dump->code_capacity, dump->code_count + 1,
                      sizeof *dump->codes))
        return -ENOMEM;
    dump->codes[dump->code_count++] = code;
    return 0;
}

/* Its lines are in the record that came before it. */
static int take_lines(struct jitdump *dump, struct jit_code *code)
{
    if (!dump->debug_bytes)
        return 0;
    unsigned problems = 0;
    int error = jit_lines_read(dump, code, dump->debug, dump->debug_bytes, &problems);
    dump->debug_bytes = 0;
    dump->problems |= problems;
    return error;
}

static int handle_load(struct jitdump *dump, const struct record_prefix *record)
{
    const unsigned char *bytes;
    size_t body = record->bytes - PREFIX_BYTES;
    size_t wanted = body < LOAD_BYTES + NAME_BYTES_MAX ? body : LOAD_BYTES + NAME_BYTES_MAX;
    int error = peek(dump, dump->offset + PREFIX_BYTES, wanted, &bytes);
    if (error || !bytes)
        return error;
    struct reader reader = {.bytes = bytes, .length = wanted};
    reader_take(&reader, 16); /* pid, tid, vma */
    struct jit_code code = {.start = reader_u64(&reader), .time = record->time};
    code.bytes = reader_u64(&reader);
    code.index = reader_u64(&reader);
    if (reader.failed) {
        dump->problems |= JITDUMP_DAMAGED;
        return 0;
    }
    const char *name = (const char *)reader.bytes + reader.offset;
    error =
        string_table_intern(&dump->names, name, strnlen(name, reader_left(&reader)), &code.name);
    if (!error)
        error = take_lines(dump, &code);
    return error ? error : add_code(dump, code);
}

static int handle_move(struct jitdump *dump, const struct record_prefix *record)
{
    const unsigned char *bytes;
    if (record->bytes < PREFIX_BYTES + MOVE_BYTES) {
        dump->problems |= JITDUMP_DAMAGED;
        return 0;
    }
    int error = peek(dump, dump->offset + PREFIX_BYTES, MOVE_BYTES, &bytes);
    if (error || !bytes)
        return error;
    struct reader reader = {.bytes = bytes, .length = MOVE_BYTES};
    reader_take(&reader, 16);
    uint64_t old_start = reader_u64(&reader), start = reader_u64(&reader);
    uint64_t code_bytes = reader_u64(&reader), index = reader_u64(&reader);
    size_t count = dump->code_count;
    for (size_t i = count; i-- > 0 && count - i <= MOVES_LOOK_BACK;) {
        struct jit_code code = dump->codes[i];
        if (code.index != index || code.start != old_start)
            continue;
        code.start = start;
        code.bytes = code_bytes;
        code.time = record->time;
        return add_code(dump, code);
    }
    dump->problems |= JITDUMP_DAMAGED;
    return 0;
}

static int keep_debug(struct jitdump *dump, const struct record_prefix *record)
{
    const unsigned char *bytes;
    size_t body = record->bytes - PREFIX_BYTES;
    dump->debug_bytes = 0;
    if (body > DEBUG_BYTES_MAX) {
        dump->problems |= JITDUMP_TOO_LARGE;
        return 0;
    }
    int error = peek(dump, dump->offset + PREFIX_BYTES, body, &bytes);
    if (error || !bytes || body == 0)
        return error;
    if (array_reserve(&dump->debug, &dump->debug_capacity, body, 1))
        return -ENOMEM;
    memcpy(dump->debug, bytes, body);
    dump->debug_bytes = body;
    return 0;
}

static int handle_record(struct jitdump *dump, const struct record_prefix *record)
{
    switch (record->id) {
    case CODE_LOAD:
        return handle_load(dump, record);
    case CODE_MOVE:
        return handle_move(dump, record);
    case CODE_DEBUG_INFO:
        return keep_debug(dump, record);
    case CODE_CLOSE:
        dump->is_over = true;
        return 0;
    default: /* unwinding information (frame pointers serve), and what later versions bring */
        return 0;
    }
}

/* The next record, if all of it is there. */
static int next_record(struct jitdump *dump, bool *ret_read)
{
    const unsigned char *bytes;
    *ret_read = false;
    if (dump->is_over || dump->file_bytes - dump->offset < PREFIX_BYTES)
        return 0;
    if (dump->records >= RECORDS_MAX || dump->read_bytes >= READ_BYTES_MAX) {
        give_up(dump, JITDUMP_TOO_LARGE);
        return 0;
    }
    int error = peek(dump, dump->offset, PREFIX_BYTES, &bytes);
    if (error || !bytes)
        return error;
    struct reader reader = {.bytes = bytes, .length = PREFIX_BYTES};
    struct record_prefix record = {.id = reader_u32(&reader), .bytes = reader_u32(&reader)};
    record.time = reader_u64(&reader);
    if (record.bytes < PREFIX_BYTES) {
        give_up(dump, JITDUMP_DAMAGED);
        return 0;
    }
    if (dump->file_bytes - dump->offset < record.bytes)
        return 0;
    error = handle_record(dump, &record);
    dump->offset += record.bytes;
    dump->records++;
    *ret_read = true;
    return error;
}

static void calibrate(struct jitdump *dump)
{
    uint64_t counter = read_counter(), now_ns = clock_monotonic_ns();
    if (now_ns - dump->counter_ns >= CALIBRATION_NS)
        dump->counts_per_ns =
            (double)(counter - dump->counter) / (double)(now_ns - dump->counter_ns);
}

int jitdump_refresh(struct jitdump *dump, bool *ret_changed)
{
    struct stat status;
    *ret_changed = false;
    calibrate(dump);
    if (dump->is_over || fstat(dump->fd, &status) < 0 || status.st_size < 0)
        return 0;
    dump->file_bytes = (uint64_t)status.st_size;
    if (dump->file_bytes < dump->offset) { /* it was cut: where a record begins is not known */
        give_up(dump, JITDUMP_DAMAGED);
        return 0;
    }
    dump->window_bytes = 0; /* what was read at the end of the file may have been written since */
    int error = dump->has_header ? 0 : read_header(dump);
    if (error || !dump->has_header)
        return error;
    size_t known = dump->code_count;
    bool more = true;
    while (!error && more)
        error = next_record(dump, &more);
    if (!error && dump->code_count != known) {
        *ret_changed = true;
        error = jit_codes_sort(dump);
    }
    return error;
}

size_t jitdump_bytes(const struct jitdump *dump)
{
    return dump->window_capacity + dump->debug_capacity + dump->names.bytes +
           dump->code_capacity * sizeof *dump->codes + dump->line_capacity * sizeof *dump->lines +
           range_map_bytes(&dump->latest) +
           dump->sorted_count * (sizeof *dump->by_start + sizeof *dump->reach);
}

void jitdump_free(struct jitdump *dump)
{
    free(dump->window);
    free(dump->debug);
    free(dump->codes);
    free(dump->lines);
    free(dump->by_start);
    free(dump->reach);
    range_map_free(&dump->latest);
    string_table_free(&dump->names);
    *dump = (struct jitdump){.fd = -1, .is_over = true};
}
