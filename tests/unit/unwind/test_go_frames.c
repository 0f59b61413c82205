/* Frames of Go code without call frame information: by what the table of functions says. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/go_elf.h"
#include "base/cleanup.h"
#include "unwind/cfi.h"
#include "unwind/unwinder.h"

#define STACK UINT64_C(0xc000100000)

struct program {
    struct module module;
    struct cfi_cache *cache;
    struct unwinder *unwinder;
    struct raw_stack stack;
};

static void open_program(struct program *program, const struct architecture *architecture,
                         enum go_version version, unsigned outer_flags)
{
    static struct go_elf elf;
    go_elf_build_flagged(&elf, version, GO_PLAIN, true, outer_flags);
    memset(program, 0, sizeof *program);
    program->module = (struct module){
        .id = 1, .kind = MODULE_FILE, .path = (char *)"go", .fd = memfd_create("go", MFD_CLOEXEC)};
    assert_true(program->module.fd >= 0);
    assert_int_equal(pwrite(program->module.fd, elf.bytes, elf.length, 0), elf.length);
    assert_int_equal(cfi_cache_new(architecture, CFI_BYTES_MAX, &program->cache), 0);
    assert_int_equal(unwinder_new(architecture, &program->unwinder), 0);
}

static void close_program(struct program *program)
{
    unwinder_free(program->unwinder);
    cfi_cache_free(program->cache);
    close(program->module.fd);
}

static void modules_beyond_the_limit_have_no_rules(void **state)
{
    (void)state;
    static struct program program;
    struct cfi_cache *cache;
    open_program(&program, &architecture_x86_64, GO_1_20, 0);
    struct module second = program.module;
    second.id = 2;
    assert_int_equal(cfi_cache_new(&architecture_x86_64, 1, &cache), 0);
    assert_int_equal(cfi_cache_find(cache, &program.module, GO_OUTER).kind, CFI_RULE);
    assert_int_equal(cfi_cache_find(cache, &second, GO_OUTER).kind, CFI_NONE);
    cfi_cache_free(cache);
    close_program(&program);
}

static void a_pushed_return_address_is_above_the_frame(void **state)
{
    (void)state;
    static struct program program;
    open_program(&program, &architecture_x86_64, GO_1_20, 0);
    struct cfi_rule rule = cfi_cache_find(program.cache, &program.module, GO_OUTER);
    assert_int_equal(rule.kind, CFI_RULE);
    assert_int_equal(rule.cfa_register, architecture_x86_64.sp);
    assert_int_equal(rule.cfa_offset, 8);
    assert_int_equal(rule.return_offset, -8);
    assert_false(rule.fp_saved);
    rule = cfi_cache_find(program.cache, &program.module, GO_OUTER + 4);
    assert_int_equal(rule.cfa_offset, GO_OUTER_FRAME + 8);
    assert_true(rule.fp_saved);
    assert_int_equal(rule.fp_offset, -16);
    assert_int_equal(cfi_cache_find(program.cache, &program.module, GO_GOEXIT + 1).kind, CFI_ROOT);
    assert_int_equal(cfi_cache_find(program.cache, &program.module, GO_END).kind, CFI_NONE);
    close_program(&program);
}

static void a_linked_return_address_begins_the_frame(void **state)
{
    (void)state;
    static struct program program;
    open_program(&program, &architecture_aarch64, GO_1_18, 0);
    struct cfi_rule rule = cfi_cache_find(program.cache, &program.module, GO_OUTER);
    assert_int_equal(rule.kind, CFI_RULE);
    assert_int_equal(rule.cfa_offset, 0);
    assert_true(rule.return_in_lr);
    rule = cfi_cache_find(program.cache, &program.module, GO_OUTER + 4);
    assert_int_equal(rule.cfa_offset, GO_OUTER_FRAME);
    assert_int_equal(rule.return_offset, -GO_OUTER_FRAME);
    assert_false(rule.return_in_lr);
    close_program(&program);
}

static void old_programs_are_known_by_the_names_of_their_runtime(void **state)
{
    (void)state;
    static struct program program;
    open_program(&program, &architecture_x86_64, GO_1_16, GO_FUNCTION_TOP); /* means nothing yet */
    assert_int_equal(cfi_cache_find(program.cache, &program.module, GO_OUTER).kind, CFI_RULE);
    assert_int_equal(cfi_cache_find(program.cache, &program.module, GO_GOEXIT).kind, CFI_ROOT);
    close_program(&program);
}

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    const struct program *program = user;
    *ret_vaddr = ip;
    return ip >= GO_TEXT && ip < GO_END ? &program->module : NULL;
}

/* main.outer at `vaddr` has `words` on its stack. */
static void walk(struct program *program, uint64_t vaddr, uint64_t fp, const uint64_t *words,
                 size_t count)
{
    const struct architecture *architecture = &architecture_x86_64;
    const struct unwind_space space = {.find = find, .user = program, .kernel = &program->module};
    struct sample sample = {.has_user = true,
                            .stack = (const unsigned char *)words,
                            .stack_bytes = count * sizeof *words};
    sample.registers.values[architecture->ip] = vaddr;
    sample.registers.values[architecture->sp] = STACK;
    sample.registers.values[architecture->fp] = fp;
    sample.registers.valid = UINT64_C(1) << architecture->ip | UINT64_C(1) << architecture->sp |
                             UINT64_C(1) << architecture->fp;
    unwinder_run(program->unwinder, &sample, &space, &program->stack);
}

static void a_leaf_without_a_frame_has_its_direct_caller(void **state)
{
    (void)state;
    static struct program program;
    /* outer, at its first instruction, was called by outer, and that by goexit. */
    const uint64_t words[] = {GO_OUTER + 8, 1, 2, STACK + 64, GO_GOEXIT + 1, 0};
    open_program(&program, &architecture_x86_64, GO_1_20, 0);
    walk(&program, GO_OUTER, STACK + 24, words, array_length(words));
    assert_int_equal(program.stack.end, STACK_END_ROOT);
    assert_int_equal(program.stack.count, 3);
    assert_int_equal(program.stack.frames[0].vaddr, GO_OUTER);
    assert_int_equal(program.stack.frames[1].vaddr, GO_OUTER + 8);
    assert_int_equal(program.stack.frames[2].vaddr, GO_GOEXIT + 1);
    assert_false(program.stack.by_frame_pointer);
    close_program(&program);
}

static void who_switched_stacks_has_its_callers_on_another_one(void **state)
{
    (void)state;
    static struct program program;
    const uint64_t words[] = {GO_OUTER + 8, 1, 2, STACK + 64, GO_GOEXIT + 1, 0};
    const uint64_t framed[] = {1, 2, STACK + 64, GO_GOEXIT + 1, 0};
    open_program(&program, &architecture_x86_64, GO_1_20, GO_FUNCTION_SETS_STACK);
    walk(&program, GO_OUTER, STACK + 24, words, array_length(words));
    assert_int_equal(program.stack.end, STACK_END_OTHER_STACK);
    assert_int_equal(program.stack.count, 3);
    assert_int_equal(program.stack.frames[1].vaddr, GO_OUTER + 8);

    /* The leaf itself: not yet, by its frame pointer, and after it has. */
    walk(&program, GO_OUTER + 8, STACK + 16, framed, array_length(framed));
    assert_int_equal(program.stack.end, STACK_END_ROOT);
    walk(&program, GO_OUTER + 8, STACK + 0x10000, framed, array_length(framed));
    assert_int_equal(program.stack.end, STACK_END_OTHER_STACK);
    assert_int_equal(program.stack.count, 2);
    close_program(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_beyond_the_limit_have_no_rules),
        cmocka_unit_test(a_pushed_return_address_is_above_the_frame),
        cmocka_unit_test(a_linked_return_address_begins_the_frame),
        cmocka_unit_test(old_programs_are_known_by_the_names_of_their_runtime),
        cmocka_unit_test(a_leaf_without_a_frame_has_its_direct_caller),
        cmocka_unit_test(who_switched_stacks_has_its_callers_on_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
