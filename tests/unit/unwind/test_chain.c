/*
 * A stack that begins as the thread's last one is what it would be without knowing that one: stacks
 * of frame pointer chains in anonymous code, of which every word is chosen here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unwind/unwinder.h"

#define CODE UINT64_C(0x10000)
#define CODE_BYTES UINT64_C(0x10000)
#define STACK UINT64_C(0x7fff0000)
#define FRAMES 20
#define FRAME_WORDS 4 /* a record of two, and two of the frame's own */
#define WORDS (FRAMES * FRAME_WORDS)

static const struct module kernel = {
    .id = 1, .kind = MODULE_KERNEL, .path = (char[]){"[kernel]"}, .fd = -1};
static struct module code = {
    .id = 7, .kind = MODULE_ANONYMOUS, .path = (char[]){"[anonymous]"}, .fd = -1};
static unsigned finds;

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    (void)user;
    finds++;
    if (ip - CODE >= CODE_BYTES)
        return NULL;
    *ret_vaddr = ip;
    return &code;
}

static struct unwinder *unwinder;
static uint64_t words[WORDS];
static uint64_t initial_sp;
static struct raw_stack stack, expected;

static int set_up(void **state)
{
    (void)state;
    return unwinder_new(&architecture_own, &unwinder);
}

static int tear_down(void **state)
{
    (void)state;
    unwinder_free(unwinder);
    return 0;
}

static uint64_t record_of(unsigned frame)
{
    return STACK + (uint64_t)frame * FRAME_WORDS * sizeof(uint64_t);
}

/* Frame n was called by frame n + 1; the last one has no caller. */
static void build(void)
{
    memset(words, 0, sizeof words);
    for (unsigned i = 0; i < FRAMES; i++) {
        words[i * FRAME_WORDS] = i + 1 < FRAMES ? record_of(i + 1) : 0;
        words[i * FRAME_WORDS + 1] = CODE + 0x100 + i;
    }
}

/* A sample in a function whose record is that of `frame`. */
static struct sample sample_at(unsigned frame, uint64_t ip)
{
    struct sample sample = {.has_user = true, .tid = 5};
    sample.registers.values[architecture_own.ip] = ip;
    sample.registers.values[architecture_own.sp] = record_of(frame);
    sample.registers.values[architecture_own.fp] = record_of(frame);
    sample.registers.valid = UINT64_C(1) << architecture_own.ip |
                             UINT64_C(1) << architecture_own.sp |
                             UINT64_C(1) << architecture_own.fp;
    sample.stack = (const unsigned char *)&words[(size_t)frame * FRAME_WORDS];
    sample.stack_bytes = sizeof words - (size_t)frame * FRAME_WORDS * sizeof(uint64_t);
    return sample;
}

static void run(const struct sample *sample, uint64_t generation, struct raw_stack *ret_stack)
{
    const struct unwind_space space = {
        .find = find, .kernel = &kernel, .initial_sp = initial_sp, .generation = generation};
    finds = 0;
    unwinder_run(unwinder, sample, &space, ret_stack);
}

static void assert_same(const struct raw_stack *left, const struct raw_stack *right)
{
    assert_int_equal(left->end, right->end);
    assert_int_equal(left->count, right->count);
    for (size_t i = 0; i < left->count; i++) {
        assert_int_equal(left->frames[i].module, right->frames[i].module);
        assert_int_equal(left->frames[i].vaddr, right->frames[i].vaddr);
        assert_int_equal(left->frames[i].is_return_address, right->frames[i].is_return_address);
    }
}

static void callers_that_stay_are_not_looked_up_again(void **state)
{
    (void)state;
    build();
    struct sample sample = sample_at(0, CODE + 8);
    run(&sample, 1, &stack);
    unsigned at_first = finds;
    assert_int_equal(stack.end, STACK_END_ROOT);
    assert_int_equal(stack.count, FRAMES + 1);
    sample = sample_at(0, CODE + 16);
    run(&sample, 0, &expected);
    run(&sample, 1, &stack);
    assert_same(&stack, &expected);
    assert_true(finds * 5 < at_first);
}

static void a_caller_that_changed_behind_ones_that_did_not_is_seen(void **state)
{
    (void)state;
    build();
    struct sample sample = sample_at(0, CODE + 8);
    run(&sample, 1, &stack);
    words[(FRAMES / 2) * FRAME_WORDS + 1] = CODE + 0x200;
    run(&sample, 1, &stack);
    assert_int_equal(stack.frames[FRAMES / 2 + 1].vaddr, CODE + 0x200);
    run(&sample, 0, &expected);
    assert_same(&stack, &expected);
}

static void code_that_is_mapped_anew_is_seen(void **state)
{
    (void)state;
    build();
    struct sample sample = sample_at(0, CODE + 8);
    run(&sample, 1, &stack);
    code.id = 8;
    run(&sample, 2, &stack);
    for (size_t i = 0; i < stack.count; i++)
        assert_int_equal(stack.frames[i].module, 8);
    code.id = 7;
}

static void a_shorter_copy_is_truncated_whatever_was_there_before(void **state)
{
    (void)state;
    build();
    struct sample sample = sample_at(0, CODE + 8);
    run(&sample, 1, &stack);
    sample.stack_bytes = sizeof words / 2;
    sample.stack_cut = true;
    run(&sample, 1, &stack);
    assert_int_equal(stack.end, STACK_END_TRUNCATED);
    run(&sample, 0, &expected);
    assert_same(&stack, &expected);
}

static unsigned pick(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*seed >> 40);
}

static void random_changes_give_what_a_walk_without_memory_gives(void **state)
{
    (void)state;
    unsigned joined = 0;
    uint64_t seed = 42;
    build();
    for (unsigned i = 0; i < 20000; i++) {
        unsigned frame = pick(&seed) % FRAMES, kind = pick(&seed) % 16;
        if (kind == 0) /* frames are skipped, or come again: a stack that was damaged */
            words[frame * FRAME_WORDS] = record_of(pick(&seed) % FRAMES);
        else if (kind < 4)
            words[frame * FRAME_WORDS + 1] = CODE + pick(&seed) % 0x20000;
        else if (kind < 6)
            build();
        else if (kind == 7) /* another program */
            initial_sp = pick(&seed) % 2 ? record_of(pick(&seed) % FRAMES) : 0;
        struct sample sample = sample_at(pick(&seed) % 4, CODE + 8);
        sample.tid = 5 + (pid_t)(pick(&seed) % 2);
        if (kind == 6)
            sample.stack_bytes -= pick(&seed) % sample.stack_bytes;
        run(&sample, 0, &expected);
        unsigned alone = finds;
        run(&sample, 3 + initial_sp, &stack);
        joined += finds < alone;
        assert_same(&stack, &expected);
    }
    initial_sp = 0;
    assert_true(joined > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_that_stay_are_not_looked_up_again),
        cmocka_unit_test(a_caller_that_changed_behind_ones_that_did_not_is_seen),
        cmocka_unit_test(code_that_is_mapped_anew_is_seen),
        cmocka_unit_test(a_shorter_copy_is_truncated_whatever_was_there_before),
        cmocka_unit_test(random_changes_give_what_a_walk_without_memory_gives),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
