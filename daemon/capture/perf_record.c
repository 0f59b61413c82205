/* Decoding of perf_event_open(2) ring records. Layouts are those of linux/perf_event.h. */
#include "capture/perf_record.h"

#include <errno.h>
#include <linux/perf_event.h>

#include "base/cleanup.h"
#include "base/reader.h"

/* Trailer of all other records, by sample_id_all: pid, tid, time, id, cpu. */
#define TRAILER_BYTES 32

static void decode_kernel_chain(struct reader *reader, struct sample *sample)
{
    uint64_t count = reader_u64(reader);
    if (count > reader_left(reader) / sizeof(uint64_t)) {
        reader->failed = true;
        return;
    }
    const uint64_t *ips = reader_take(reader, count * sizeof(uint64_t));
    if (!ips || count == 0 || ips[0] != PERF_CONTEXT_KERNEL)
        return;
    size_t kernel = 1;
    while (kernel < count && ips[kernel] < PERF_CONTEXT_MAX)
        kernel++;
    sample->kernel_ips = ips + 1;
    sample->kernel_ip_count = kernel - 1;
}

static void decode_registers(struct reader *reader, const struct architecture *architecture,
                             struct sample *sample)
{
    uint64_t abi = reader_u64(reader);
    if (abi == PERF_SAMPLE_REGS_ABI_NONE)
        return;
    const void *words = reader_take(reader, architecture->perf.count * sizeof(uint64_t));
    if (!words)
        return;
    registers_take(&sample->registers, &architecture->perf, words);
    sample->has_user = abi == PERF_SAMPLE_REGS_ABI_64;
}

static void decode_stack(struct reader *reader, struct sample *sample)
{
    uint64_t room = reader_u64(reader);
    if (room == 0 || reader->failed)
        return;
    const void *stack = room <= SIZE_MAX ? reader_take(reader, room) : NULL;
    uint64_t used = reader_u64(reader);
    if (reader->failed || used > room) {
        reader->failed = true;
        return;
    }
    sample->stack = stack;
    sample->stack_bytes = used;
    sample->stack_cut = used == room;
}

static void decode_sample(struct reader *reader, const struct architecture *architecture,
                          struct record *record)
{
    struct sample *sample = &record->sample;
    sample->pid = record->pid = (pid_t)reader_u32(reader);
    sample->tid = record->tid = (pid_t)reader_u32(reader);
    sample->time_ns = record->time_ns = reader_u64(reader);
    sample->event_id = reader_u64(reader);
    sample->cpu = record->cpu = reader_u32(reader);
    reader_u32(reader);
    decode_kernel_chain(reader, sample);
    decode_registers(reader, architecture, sample);
    decode_stack(reader, sample);
}

static void decode_mapping(struct reader *reader, struct record_mapping *mapping)
{
    reader_u64(reader); /* pid and tid: the trailer has them too */
    mapping->start = reader_u64(reader);
    mapping->length = reader_u64(reader);
    mapping->file_offset = reader_u64(reader);
    mapping->device_major = reader_u32(reader);
    mapping->device_minor = reader_u32(reader);
    mapping->inode = reader_u64(reader);
    reader_u64(reader); /* inode generation */
    reader_u64(reader); /* protection and flags */
    mapping->path = reader_string(reader);
}

static void decode_task(struct reader *reader, struct record *record)
{
    record->pid = (pid_t)reader_u32(reader);
    record->fork.parent_pid = (pid_t)reader_u32(reader);
    record->tid = (pid_t)reader_u32(reader);
    record->fork.parent_tid = (pid_t)reader_u32(reader);
    reader_u64(reader); /* time: the trailer has it too */
}

static void decode_trailer(const void *bytes, size_t length, struct record *record)
{
    struct reader trailer = {.bytes = bytes, .length = length, .offset = length - TRAILER_BYTES};
    record->pid = (pid_t)reader_u32(&trailer);
    record->tid = (pid_t)reader_u32(&trailer);
    record->time_ns = reader_u64(&trailer);
    reader_u64(&trailer); /* event id */
    record->cpu = reader_u32(&trailer);
}

/* Fills what is special to a type other than a sample; the trailer was decoded before. */
static int decode_other(const struct perf_event_header *header, struct reader *reader,
                        struct record *record)
{
    switch (header->type) {
    case PERF_RECORD_MMAP2:
        record->type = RECORD_MAPPING;
        decode_mapping(reader, &record->mapping);
        return 0;
    case PERF_RECORD_COMM:
        record->type = RECORD_COMM;
        record->comm.is_exec = header->misc & PERF_RECORD_MISC_COMM_EXEC;
        record->pid = (pid_t)reader_u32(reader); /* the one renamed, not the one who did it */
        record->tid = (pid_t)reader_u32(reader);
        record->comm.name = reader_string(reader);
        return 0;
    case PERF_RECORD_FORK:
        record->type = RECORD_FORK;
        decode_task(reader, record);
        return 0;
    case PERF_RECORD_EXIT:
        record->type = RECORD_EXIT;
        decode_task(reader, record);
        return 0;
    case PERF_RECORD_LOST:
        record->type = RECORD_LOST;
        reader_u64(reader); /* event id */
        record->lost_count = reader_u64(reader);
        return 0;
    case PERF_RECORD_LOST_SAMPLES:
        record->type = RECORD_LOST;
        record->lost_count = reader_u64(reader);
        return 0;
    case PERF_RECORD_THROTTLE:
        record->type = RECORD_THROTTLED;
        return 0;
    default:
        return -ENOENT;
    }
}

uint64_t perf_record_time(const void *bytes, size_t length)
{
    struct perf_event_header header;
    struct reader reader = {.bytes = bytes, .length = length};
    const void *start = reader_take(&reader, sizeof header);
    if (!start)
        return 0;
    memcpy(&header, start, sizeof header);
    if (header.type == PERF_RECORD_SAMPLE)
        reader_u64(&reader); /* pid and tid */
    else if (length >= sizeof header + TRAILER_BYTES)
        reader.offset = length - TRAILER_BYTES + 8;
    else
        return 0;
    return reader_u64(&reader);
}

int perf_record_decode(const struct architecture *architecture, const void *bytes, size_t length,
                       uint64_t weight_ns, struct record *ret_record)
{
    struct perf_event_header header;
    if (length < sizeof header)
        return -EINVAL;
    memcpy(&header, bytes, sizeof header);
    if (header.size != length)
        return -EINVAL;

    struct record record = {0};
    struct reader reader = {.bytes = bytes, .length = length, .offset = sizeof header};
    if (header.type == PERF_RECORD_SAMPLE) {
        record.type = RECORD_SAMPLE;
        record.sample.weight_ns = weight_ns;
        record.sample.in_kernel =
            (header.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
        decode_sample(&reader, architecture, &record);
    } else {
        if (length < sizeof header + TRAILER_BYTES)
            return -EINVAL;
        decode_trailer(bytes, length, &record);
        reader.length = length - TRAILER_BYTES;
        int error = decode_other(&header, &reader, &record);
        if (error)
            return error;
    }
    if (reader.failed)
        return -EINVAL;
    *ret_record = record;
    return 0;
}
