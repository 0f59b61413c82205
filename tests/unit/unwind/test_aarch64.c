/*
 * Unwinding of aarch64, on any machine: on states of a real program that were recorded before each
 * of its instructions, beside the frames that gdb saw there. aarch64/record says how.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unwind/unwinder.h"

#define RECORDINGS SOURCE_FOLDER "/unit/unwind/aarch64/frames-"
#define BASE UINT64_C(0x400000) /* its one segment is the whole file */
#define RET 0xd65f03c0
#define FRAMES_MAX 16

/* A whole file in memory. */
struct file {
    unsigned char bytes[65536];
    size_t length, offset;
};

static struct file recording, signing, code;
static struct module_segment segment = {.vaddr = BASE};
static struct module program = {
    .id = 7, .kind = MODULE_FILE, .segments = &segment, .segment_count = 1};
static const struct module kernel = {.id = 1, .kind = MODULE_KERNEL, .fd = -1};
static struct unwinder *unwinder;
static struct raw_stack stack;

static void load(struct file *file, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", RECORDINGS, name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t length = read(fd, file->bytes, sizeof file->bytes);
    assert_in_range(length, 1, sizeof file->bytes - 1);
    file->length = (size_t)length;
    file->offset = 0;
}

static uint64_t next_word(struct file *file)
{
    uint64_t word;
    assert_true(file->length - file->offset >= sizeof word);
    memcpy(&word, file->bytes + file->offset, sizeof word);
    file->offset += sizeof word;
    return word;
}

/* One recorded state: a sample, and the program counters that gdb saw, 0 behind the last. */
struct state {
    struct sample sample;
    uint64_t expected[FRAMES_MAX];
    size_t count;
};

static struct state next_state(struct file *file)
{
    static const unsigned numbers[] = {29, 30, 31, 32};
    struct state state = {.sample = {.has_user = true}};
    struct registers *registers = &state.sample.registers;
    for (size_t i = 0; i < array_length(numbers); i++) {
        registers->values[numbers[i]] = next_word(file);
        registers->valid |= UINT64_C(1) << numbers[i];
    }
    state.sample.stack_bytes = next_word(file);
    assert_true(state.sample.stack_bytes <= file->length - file->offset);
    state.sample.stack = file->bytes + file->offset;
    file->offset += state.sample.stack_bytes;
    uint64_t word;
    while ((word = next_word(file)) != 0) {
        assert_true(state.count < FRAMES_MAX - 1);
        state.expected[state.count++] = word;
    }
    return state;
}

static uint32_t instruction_at(uint64_t pc)
{
    uint32_t instruction;
    assert_true(pc - BASE < code.length - sizeof instruction);
    memcpy(&instruction, code.bytes + (pc - BASE), sizeof instruction);
    return instruction;
}

/*
 * What a ret returns to is what the next state is in. At the one of `framed`, which has no call
 * frame information, gdb misses that: it takes the frame, which is gone, for one that is still
 * there.
 */
static unsigned correct(struct state *state, const struct state *next)
{
    uint64_t expected[FRAMES_MAX] = {state->expected[0]};
    if (instruction_at(state->expected[0]) != RET)
        return 0;
    memcpy(expected + 1, next->expected, sizeof expected - sizeof *expected);
    bool same = !memcmp(expected, state->expected, sizeof expected);
    memcpy(state->expected, expected, sizeof expected);
    state->count = next->count + 1;
    return !same;
}

/* All states of a recording. */
static struct state states[128];
static size_t state_count;

static void load_states(const char *name)
{
    load(&recording, name);
    for (state_count = 0; recording.offset < recording.length; state_count++) {
        assert_true(state_count < array_length(states));
        states[state_count] = next_state(&recording);
    }
    assert_true(state_count > 60);
    unsigned corrections = 0;
    for (size_t i = 0; i + 1 < state_count; i++)
        corrections += correct(&states[i], &states[i + 1]);
    assert_true(corrections <= 1);
}

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    (void)user;
    if (ip < BASE || ip - BASE >= segment.bytes)
        return NULL;
    *ret_vaddr = ip;
    return &program;
}

static void open_program(const char *name)
{
    load(&code, name);
    segment.bytes = code.length;
    char path[512];
    snprintf(path, sizeof path, "%s%s", RECORDINGS, name);
    program.fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(program.fd >= 0);
    assert_int_equal(unwinder_new(&architecture_aarch64, &unwinder), 0);
}

static int close_program(void **state)
{
    (void)state;
    unwinder_free(unwinder);
    unwinder = NULL;
    close(program.fd);
    program.fd = -1;
    return 0;
}

static void unwind(const struct state *state)
{
    static const struct unwind_space space = {.find = find, .kernel = &kernel};
    unwinder_run(unwinder, &state->sample, &space, &stack);
}

/* The number of frames that are as gdb saw them, until one is not. */
static size_t count_equal(const struct state *state)
{
    size_t i = 0;
    while (i < state->count && i < stack.count && stack.frames[i].module == program.id &&
           stack.frames[i].vaddr == state->expected[i])
        i++;
    return i;
}

static void assert_whole(const struct state *state)
{
    unwind(state);
    size_t equal = count_equal(state);
    if (equal != state->count || stack.end != STACK_END_ROOT)
        print_message("at %#llx: %zu of %zu frames, then %s\n",
                      (unsigned long long)state->expected[0], equal, state->count,
                      stack_end_name(stack.end));
    assert_int_equal(equal, state->count);
    assert_int_equal(stack.count, state->count);
    assert_int_equal(stack.end, STACK_END_ROOT);
}

static void frames_are_those_of_gdb_at_each_instruction(void **state)
{
    (void)state;
    open_program("plain");
    load_states("plain.states");
    for (size_t i = 0; i < state_count; i++)
        assert_whole(&states[i]);
}

static void signatures_of_return_addresses_are_stripped(void **state)
{
    (void)state;
    open_program("pac");
    load_states("unsigned.states");
    load(&signing, "signed.states");
    size_t signatures = 0;
    for (size_t i = 0; i < state_count; i++) {
        assert_whole(&states[i]);
        struct state with = next_state(&signing);
        signatures += with.sample.registers.values[30] >> 48 != 0;
        assert_int_equal(with.expected[0], states[i].expected[0]); /* the same instruction */
        memcpy(with.expected, states[i].expected, sizeof with.expected);
        with.count = states[i].count;
        assert_whole(&with);
    }
    assert_true(signatures > 10);
    assert_int_equal(signing.offset, signing.length);
}

/*
 * Where callers keep no frame pointer and code without call frame information stands between,
 * nobody knows where their frames are. The stack is then shorter, never wrong, and says why.
 */
static void what_cannot_be_known_without_frame_pointers_is_left_out(void **state)
{
    (void)state;
    open_program("omit");
    load_states("omit.states");
    size_t whole = 0;
    for (size_t i = 0; i < state_count; i++) {
        unwind(&states[i]);
        bool is_whole = stack.end == STACK_END_ROOT;
        assert_true(is_whole || stack.end == STACK_END_NO_CFI);
        assert_int_equal(count_equal(&states[i]), stack.count - !is_whole);
        assert_true(!is_whole || stack.count == states[i].count);
        whole += is_whole;
    }
    assert_true(whole > state_count / 2 && whole < state_count);
}

static void what_a_signal_interrupted_is_not_looked_up_as_a_caller(void **state)
{
    (void)state;
    open_program("plain");
    load_states("plain.states");
    size_t handlers = 0;
    for (size_t i = 0; i < state_count; i++) {
        if (states[i].sample.stack_bytes < 4096)
            continue;
        /* `interrupted` has no frame, and three callers. */
        unwind(&states[i]);
        assert_true(stack.count >= 5);
        assert_false(stack.frames[stack.count - 4].is_return_address);
        for (size_t caller = 1; caller <= 3; caller++)
            assert_true(stack.frames[stack.count - caller].is_return_address);
        handlers++;
    }
    assert_int_equal(handlers, 4);
}

static void every_shorter_copy_is_a_shorter_stack_and_says_so(void **state)
{
    (void)state;
    open_program("plain");
    load_states("plain.states");
    for (size_t i = 0; i < state_count; i++) {
        for (size_t bytes = states[i].sample.stack_bytes; bytes >= 16; bytes -= 16) {
            /* A copy of exactly that size, so that a sanitizer sees any read behind its end. */
            _cleanup_free_ unsigned char *copy = malloc(bytes);
            memcpy(copy, states[i].sample.stack, bytes);
            struct state shorter = states[i];
            shorter.sample.stack = copy;
            shorter.sample.stack_bytes = bytes;
            shorter.sample.stack_cut = true;
            unwind(&shorter);
            bool is_whole = stack.end == STACK_END_ROOT;
            assert_true(!is_whole || stack.count == shorter.count);
            assert_int_equal(count_equal(&shorter), stack.count - !is_whole);
            assert_true(is_whole || stack.end == STACK_END_TRUNCATED);
        }
    }
}

#define test(name) cmocka_unit_test_teardown(name, close_program)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(frames_are_those_of_gdb_at_each_instruction),
        test(signatures_of_return_addresses_are_stripped),
        test(what_cannot_be_known_without_frame_pointers_is_left_out),
        test(what_a_signal_interrupted_is_not_looked_up_as_a_caller),
        test(every_shorter_copy_is_a_shorter_stack_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
