/* Decoding of ring records, on bytes laid out as perf_event_open(2) says. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/perf_event.h>

#include "capture/perf_record.h"

/* Bytes of one record under construction. */
struct bytes {
    _Alignas(8) unsigned char data[4096];
    size_t length;
};

static void put(struct bytes *bytes, const void *source, size_t length)
{
    memcpy(bytes->data + bytes->length, source, length);
    bytes->length += length;
}

static void put_u64(struct bytes *bytes, uint64_t value)
{
    put(bytes, &value, sizeof value);
}

static void put_u32(struct bytes *bytes, uint32_t value)
{
    put(bytes, &value, sizeof value);
}

static void begin(struct bytes *bytes)
{
    memset(bytes, 0, sizeof *bytes);
    bytes->length = sizeof(struct perf_event_header);
}

static void end(struct bytes *bytes, uint32_t type, uint16_t misc)
{
    struct perf_event_header header = {type, misc, (uint16_t)bytes->length};
    memcpy(bytes->data, &header, sizeof header);
}

/* What sample_id_all adds to every record but samples. */
static void put_trailer(struct bytes *bytes, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
    put_u32(bytes, pid);
    put_u32(bytes, tid);
    put_u64(bytes, time_ns);
    put_u64(bytes, 44);
    put_u32(bytes, 3);
    put_u32(bytes, 0);
}

#define STACK_BYTES 64

/* A sample in the kernel, with registers numbered 100, 101, ... and `used` bytes of stack. */
static void make_sample_of(const struct architecture *architecture, struct bytes *bytes,
                           uint64_t used)
{
    begin(bytes);
    put_u32(bytes, 10);
    put_u32(bytes, 11);
    put_u64(bytes, 5000);
    put_u64(bytes, 44);
    put_u32(bytes, 3);
    put_u32(bytes, 0);
    put_u64(bytes, 4);
    put_u64(bytes, (uint64_t)PERF_CONTEXT_KERNEL);
    put_u64(bytes, 0xffffffff81000010);
    put_u64(bytes, 0xffffffff81000020);
    put_u64(bytes, (uint64_t)PERF_CONTEXT_USER);
    put_u64(bytes, PERF_SAMPLE_REGS_ABI_64);
    int registers = __builtin_popcountll(architecture->perf_mask);
    for (int i = 0; i < registers; i++)
        put_u64(bytes, 100 + (uint64_t)i);
    put_u64(bytes, STACK_BYTES);
    for (unsigned i = 0; i < STACK_BYTES / 8; i++)
        put_u64(bytes, i);
    put_u64(bytes, used);
    end(bytes, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
}

static void make_sample(struct bytes *bytes, uint64_t used)
{
    make_sample_of(&architecture_x86_64, bytes, used);
}

static void a_sample_has_registers_stack_and_kernel_frames(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    make_sample(&bytes, 40);
    assert_int_equal(
        perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 777, &record), 0);
    assert_int_equal(record.type, RECORD_SAMPLE);
    const struct sample *sample = &record.sample;
    assert_int_equal(sample->pid, 10);
    assert_int_equal(sample->tid, 11);
    assert_int_equal(sample->time_ns, 5000);
    assert_int_equal(sample->event_id, 44);
    assert_int_equal(sample->cpu, 3);
    assert_int_equal(sample->weight_ns, 777);
    assert_true(sample->in_kernel && sample->has_user);
    assert_int_equal(sample->kernel_ip_count, 2);
    assert_int_equal(sample->kernel_ips[1], 0xffffffff81000020);
    assert_int_equal(sample->stack_bytes, 40);
    assert_false(sample->stack_cut);
    /* perf's order is ax, bx, cx, dx, si, di, bp, sp, ip, r8 ...: see asm/perf_regs.h. */
    assert_int_equal(sample->registers.values[3], 101);
    assert_int_equal(sample->registers.values[architecture_x86_64.fp], 106);
    assert_int_equal(sample->registers.values[architecture_x86_64.sp], 107);
    assert_int_equal(sample->registers.values[architecture_x86_64.ip], 108);
    assert_int_equal(sample->registers.values[15], 116);
    assert_int_equal(sample->registers.valid, 0x1ffff);
    assert_int_equal(perf_record_time(bytes.data, bytes.length), 5000);
}

static void registers_of_aarch64_are_x0_to_x30_sp_and_pc(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    make_sample_of(&architecture_aarch64, &bytes, 40);
    assert_int_equal(
        perf_record_decode(&architecture_aarch64, bytes.data, bytes.length, 777, &record), 0);
    const struct registers *registers = &record.sample.registers;
    /* PERF_REG_ARM64_X0 ... LR, SP, PC of arm64's asm/perf_regs.h; sp has DWARF number 31. */
    for (unsigned i = 0; i <= 30; i++)
        assert_int_equal(registers->values[i], 100 + i);
    assert_int_equal(registers->values[architecture_aarch64.fp], 129);
    assert_int_equal(registers->values[architecture_aarch64.lr], 130);
    assert_int_equal(registers->values[architecture_aarch64.sp], 131);
    assert_int_equal(registers->values[architecture_aarch64.ip], 132);
    assert_int_equal(registers->valid, UINT64_C(0x1ffffffff));
    assert_int_equal(record.sample.stack_bytes, 40);
}

static void a_full_copy_of_the_stack_is_a_cut_one(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    make_sample(&bytes, STACK_BYTES);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     0);
    assert_true(record.sample.stack_cut);
}

static void more_stack_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    make_sample(&bytes, STACK_BYTES + 8);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     -EINVAL);
}

static void every_shorter_sample_is_refused(void **state)
{
    (void)state;
    struct bytes bytes;
    make_sample(&bytes, 40);
    for (size_t length = 0; length < bytes.length; length++) {
        /* A copy of exactly that size, so that a sanitizer sees any read behind its end. */
        unsigned char *copy = malloc(length ? length : 1);
        struct record record;
        memcpy(copy, bytes.data, length);
        if (length >= sizeof(struct perf_event_header))
            ((struct perf_event_header *)copy)->size = (uint16_t)length;
        assert_int_equal(perf_record_decode(&architecture_x86_64, copy, length, 1, &record),
                         -EINVAL);
        (void)perf_record_time(copy, length);
        free(copy);
    }
}

static void a_kernel_chain_longer_than_the_record_is_refused(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    make_sample(&bytes, 40);
    uint64_t huge = UINT64_MAX / 8 + 2; /* times 8 wraps around */
    memcpy(bytes.data + 40, &huge, sizeof huge);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     -EINVAL);
}

static void a_mapping_names_file_and_range(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    put_u32(&bytes, 10);
    put_u32(&bytes, 11);
    put_u64(&bytes, 0x7f0000001000);
    put_u64(&bytes, 0x2000);
    put_u64(&bytes, 0x1000);
    put_u32(&bytes, 8);
    put_u32(&bytes, 1);
    put_u64(&bytes, 4242);
    put_u64(&bytes, 0);
    put_u32(&bytes, 5);
    put_u32(&bytes, 2);
    put(&bytes, "/usr/lib/liba.so\0\0\0\0\0\0\0", 24); /* padded to 8 bytes */
    put_trailer(&bytes, 10, 11, 6000);
    end(&bytes, PERF_RECORD_MMAP2, 0);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     0);
    assert_int_equal(record.type, RECORD_MAPPING);
    assert_int_equal(record.time_ns, 6000);
    assert_int_equal(record.mapping.start, 0x7f0000001000);
    assert_int_equal(record.mapping.length, 0x2000);
    assert_int_equal(record.mapping.file_offset, 0x1000);
    assert_int_equal(record.mapping.inode, 4242);
    assert_string_equal(record.mapping.path, "/usr/lib/liba.so");
}

static void a_path_without_an_end_is_refused(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    for (int i = 0; i < 8; i++)
        put_u64(&bytes, 1);
    put(&bytes, "/usr/lib", 8);
    put_trailer(&bytes, 10, 11, 6000);
    end(&bytes, PERF_RECORD_MMAP2, 0);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     -EINVAL);
}

static void a_rename_is_told_of_the_one_renamed(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    put_u32(&bytes, 10);
    put_u32(&bytes, 12);
    put(&bytes, "worker\0", 8);
    put_trailer(&bytes, 99, 99, 7000); /* the one who did it */
    end(&bytes, PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     0);
    assert_int_equal(record.type, RECORD_COMM);
    assert_int_equal(record.pid, 10);
    assert_int_equal(record.tid, 12);
    assert_string_equal(record.comm.name, "worker");
    assert_true(record.comm.is_exec);
}

static void a_new_thread_is_told_with_who_made_it(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    put_u32(&bytes, 10);
    put_u32(&bytes, 9);
    put_u32(&bytes, 12);
    put_u32(&bytes, 11);
    put_u64(&bytes, 7000);
    put_trailer(&bytes, 9, 11, 7000); /* the one who made it */
    end(&bytes, PERF_RECORD_FORK, 0);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     0);
    assert_int_equal(record.type, RECORD_FORK);
    assert_int_equal(record.pid, 10);
    assert_int_equal(record.tid, 12);
    assert_int_equal(record.fork.parent_pid, 9);
    assert_int_equal(record.fork.parent_tid, 11);
}

static void lost_records_are_counted(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    put_u64(&bytes, 1);
    put_u64(&bytes, 23);
    put_trailer(&bytes, 10, 11, 8000);
    end(&bytes, PERF_RECORD_LOST, 0);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     0);
    assert_int_equal(record.type, RECORD_LOST);
    assert_int_equal(record.lost_count, 23);
}

static void other_records_are_of_no_interest(void **state)
{
    (void)state;
    struct bytes bytes;
    struct record record;
    begin(&bytes);
    put_trailer(&bytes, 10, 11, 8000);
    end(&bytes, PERF_RECORD_AUX, 0);
    assert_int_equal(perf_record_decode(&architecture_x86_64, bytes.data, bytes.length, 1, &record),
                     -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_has_registers_stack_and_kernel_frames),
        cmocka_unit_test(registers_of_aarch64_are_x0_to_x30_sp_and_pc),
        cmocka_unit_test(a_full_copy_of_the_stack_is_a_cut_one),
        cmocka_unit_test(more_stack_than_there_is_room_for_is_refused),
        cmocka_unit_test(every_shorter_sample_is_refused),
        cmocka_unit_test(a_kernel_chain_longer_than_the_record_is_refused),
        cmocka_unit_test(a_mapping_names_file_and_range),
        cmocka_unit_test(a_path_without_an_end_is_refused),
        cmocka_unit_test(a_rename_is_told_of_the_one_renamed),
        cmocka_unit_test(a_new_thread_is_told_with_who_made_it),
        cmocka_unit_test(lost_records_are_counted),
        cmocka_unit_test(other_records_are_of_no_interest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
