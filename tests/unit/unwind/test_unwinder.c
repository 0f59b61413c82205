/* The unwinder: whole stacks, stacks that end early, and why; memory that leads nowhere. */
#include "recording.h"

static void frames_are_those_of_the_system_unwinder(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    assert_as_by_backtrace(DEPTH);
}

static void a_short_copy_is_truncated_and_says_so(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.stack_bytes = 1024;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_TRUNCATED);
    assert_int_equal(stack.frames[stack.count - 1].module, 0);
    assert_int_equal(stack.frames[stack.count - 1].vaddr, STACK_END_TRUNCATED);
    assert_true(stack.count > 2); /* what was there is kept */
}

static void the_same_short_copy_of_a_short_stack_is_damaged(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.stack_bytes = 1016;
    if ((recording.sample.registers.values[architecture_own.sp] + 1016) % 4096 == 0)
        recording.sample.stack_bytes -= 16; /* not at the end of a page */
    recording.sample.stack_cut = false;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_BAD_MEMORY);
}

static void a_copy_that_ends_at_a_page_lacks_what_was_not_in_memory(void **state)
{
    (void)state;
    (void)descend(3 * DEPTH);
    uint64_t start = recording.sample.registers.values[architecture_own.sp];
    recording.sample.stack_bytes = 4096 - start % 4096;
    recording.sample.stack_cut = false;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_NOT_PRESENT);
}

static void nothing_is_copied_of_a_page_that_nobody_has_touched(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.stack_bytes = 0;
    recording.sample.stack_cut = false;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_NOT_PRESENT);
}

static void an_ip_outside_every_mapping_is_unmapped(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.registers.values[architecture_own.ip] = 16;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.end, STACK_END_UNMAPPED);
}

/* The kernel calls the first function, wherever it is: what it would return to is no address. */
static void the_frame_that_ends_where_the_arguments_are_is_the_root(void **state)
{
    (void)state;
    static struct raw_stack whole;
    (void)descend(DEPTH);
    unwinder_run(unwinder, &recording.sample, &space, &whole);
    uint64_t sp = recording.sample.registers.values[architecture_own.sp];
    size_t count = 1;
    for (uint64_t initial_sp = sp + 8; initial_sp < stack_top; initial_sp += 8) {
        struct unwind_space begun = space;
        begun.initial_sp = initial_sp;
        unwinder_run(unwinder, &recording.sample, &begun, &stack);
        if (stack.end != STACK_END_ROOT)
            break; /* the frames of this program are over: there is no other code in the space */
        assert_in_range(stack.count, count, count + 1);
        count = stack.count;
        for (size_t i = 0; i < count; i++)
            assert_int_equal(stack.frames[i].vaddr, whole.frames[i].vaddr);
    }
    assert_true(count > DEPTH);
    struct unwind_space begun = space;
    begun.initial_sp = stack_top;
    unwinder_run(unwinder, &recording.sample, &begun, &stack);
    assert_int_equal(stack.count, whole.count);
    assert_int_equal(stack.end, whole.end);
}

/* Code of which nothing is known but that it is there. */
static const struct module bare = {
    .id = 9, .kind = MODULE_ANONYMOUS, .path = (char[]){""}, .fd = -1};

static const struct module *find_bare(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    (void)user;
    *ret_vaddr = ip;
    return ip >= 0x1000 && ip < 0x2000 ? &bare : NULL;
}

#define BARE_STACK UINT64_C(0x7fff00000000)
#define BARE_END (BARE_STACK + 48) /* of the frames by frame pointer */

/* Two frames by frame pointer, of which the outer one saved `last_fp`. */
static void run_by_frame_pointer(uint64_t last_fp, uint64_t initial_sp)
{
    const struct unwind_space bare_space = {
        .find = find_bare, .kernel = &kernel, .initial_sp = initial_sp};
    const uint64_t start = BARE_STACK;
    const uint64_t words[] = {0, 0, start + 32, 0x1100, last_fp, 0x1200, 0, 0};
    struct sample sample = {.has_user = true, .stack_bytes = sizeof words};
    sample.stack = (const unsigned char *)words;
    sample.registers.values[architecture_own.ip] = 0x1000;
    sample.registers.values[architecture_own.sp] = start;
    sample.registers.values[architecture_own.fp] = start + 16;
    sample.registers.valid = UINT64_C(1) << architecture_own.ip |
                             UINT64_C(1) << architecture_own.sp |
                             UINT64_C(1) << architecture_own.fp;
    unwinder_run(unwinder, &sample, &bare_space, &stack);
    assert_true(stack.by_frame_pointer);
}

static void a_chain_of_frame_pointers_ends_at_zero_or_where_the_stack_was_switched(void **state)
{
    (void)state;
    static const struct {
        uint64_t last_fp;
        enum stack_end end;
    } ends[] = {
        {0, STACK_END_ROOT},
        {UINT64_C(0xc000123450), STACK_END_OTHER_STACK}, /* a goroutine's */
        {UINT64_C(0xc000123451), STACK_END_NO_CFI},      /* data */
        {UINT64_MAX - 7, STACK_END_NO_CFI},              /* no user's address */
        {8, STACK_END_NO_CFI},
    };
    for (size_t i = 0; i < array_length(ends); i++) {
        run_by_frame_pointer(ends[i].last_fp, 0);
        assert_int_equal(stack.end, ends[i].end);
        assert_int_equal(stack.count, ends[i].end == STACK_END_ROOT ? 3 : 4);
        assert_int_equal(stack.frames[2].vaddr, 0x1200);
    }
}

/* musl's libc_start_main_stage2 calls main(), and says nothing about its own frame. */
static void a_frame_that_nothing_is_known_of_is_the_root_where_the_stack_begins(void **state)
{
    (void)state;
    static const struct {
        uint64_t initial_sp;
        bool is_root;
    } begins[] = {
        {0, false},
        {BARE_END - 64, true},
        {BARE_END, true},
        {BARE_END + 56, true},
        {BARE_END + 512, false},                 /* there is room for callers */
        {BARE_END - (UINT64_C(1) << 30), false}, /* another stack */
    };
    for (size_t i = 0; i < array_length(begins); i++) {
        run_by_frame_pointer(1, begins[i].initial_sp);
        /* Where a frame's record does not end it, nobody knows where it is. */
        bool is_root = begins[i].is_root && architecture_own.record_ends_frame;
        assert_int_equal(stack.end, is_root ? STACK_END_ROOT : STACK_END_NO_CFI);
        assert_int_equal(stack.frames[2].vaddr, 0x1200);
        assert_int_equal(stack.count, is_root ? 3 : 4);
    }
}

static void a_record_right_below_the_arguments_is_that_of_the_root(void **state)
{
    (void)state;
    const uint64_t record = BARE_STACK + 4096;
    static const int64_t distances[] = {0, 8, -8, 16};
    for (size_t i = 0; i < array_length(distances); i++) {
        run_by_frame_pointer(record, record + 8 + (uint64_t)distances[i]);
        assert_int_equal(stack.end, distances[i] == 0 ? STACK_END_ROOT : STACK_END_NO_CFI);
    }
}

static void random_stacks_end_and_never_crash(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    uint64_t seed = 42;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i + 8 <= recording.sample.stack_bytes; i += 8) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t value = seed >> 8;
            if (seed >> 62) /* mostly addresses of our own code, to be led on */
                value = self_base + value % (self_end - self_base);
            memcpy(recording.stack + i, &value, sizeof value);
        }
        recording.sample.registers.values[architecture_own.ip] =
            self_base + seed % (self_end - self_base);
        unwinder_run(unwinder, &recording.sample, &space, &stack);
        assert_in_range(stack.count, 1, STACK_FRAMES_MAX + 1);
        assert_true(stack.end < STACK_END_COUNT);
    }
}

static void kernel_frames_come_first(void **state)
{
    (void)state;
    static const uint64_t ips[] = {0xffffffff81000010, 0xffffffff81000020};
    (void)descend(DEPTH);
    recording.sample.kernel_ips = ips;
    recording.sample.kernel_ip_count = 2;
    recording.sample.in_kernel = true;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.frames[0].module, kernel.id);
    assert_int_equal(stack.frames[0].vaddr, ips[0]);
    assert_false(stack.frames[0].is_return_address);
    assert_true(stack.frames[1].is_return_address);
    assert_int_equal(stack.frames[2].module, self.id);
}

static void a_sample_without_user_registers_says_so(void **state)
{
    (void)state;
    struct sample sample = {0};
    unwinder_run(unwinder, &sample, &space, &stack);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.end, STACK_END_NO_USER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_the_system_unwinder),
        cmocka_unit_test(a_short_copy_is_truncated_and_says_so),
        cmocka_unit_test(the_same_short_copy_of_a_short_stack_is_damaged),
        cmocka_unit_test(nothing_is_copied_of_a_page_that_nobody_has_touched),
        cmocka_unit_test(an_ip_outside_every_mapping_is_unmapped),
        cmocka_unit_test(a_copy_that_ends_at_a_page_lacks_what_was_not_in_memory),
        cmocka_unit_test(a_chain_of_frame_pointers_ends_at_zero_or_where_the_stack_was_switched),
        cmocka_unit_test(the_frame_that_ends_where_the_arguments_are_is_the_root),
        cmocka_unit_test(a_frame_that_nothing_is_known_of_is_the_root_where_the_stack_begins),
        cmocka_unit_test(a_record_right_below_the_arguments_is_that_of_the_root),
        cmocka_unit_test(random_stacks_end_and_never_crash),
        cmocka_unit_test(kernel_frames_come_first),
        cmocka_unit_test(a_sample_without_user_registers_says_so),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
