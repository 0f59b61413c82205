/* What is published for each kind of module, and programs whose answers are known by arithmetic. */
#include "module_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* nop is one byte on x86-64: the function's n-th byte is on the n-th line after its label. */
static const char nops[] = "    .text\n"        /* 1 */
                           "    .globl first\n" /* 2 */
                           "    .type first, @function\n"
                           "first:\n"  /* 4 */
                           "    nop\n" /* 5: first + 0 */
                           "    nop\n" /* 6: first + 1 */
                           "    ret\n" /* 7: first + 2 */
                           "    .size first, . - first\n"
                           "    .type second, @function\n"
                           "second:\n" /* 10 */
                           "    nop\n" /* 11: second + 0 = first + 3 */
                           "    ret\n" /* 12: second + 1 */
                           "    .size second, . - second\n"
                           "label:\n"  /* 14, no type, no size */
                           "    nop\n" /* 15 */
                           "    ret\n" /* 16 */
                           "    .section .note.GNU-stack\n";

static bool build_nops(struct fixture *fixture, const char *options)
{
#ifdef __x86_64__
    if (!have_tool("gcc"))
        return false;
    fixture_write(fixture, "nops.s", nops);
    run_or_fail("cd %s && gcc %s -shared -nostdlib -o nops.so nops.s 2>&1", fixture->directory,
                options);
    fixture_open_built(fixture, "nops.so");
    return true;
#else
    (void)fixture, (void)options, (void)nops;
    print_message("skipped: the program is written for x86-64\n");
    return false;
#endif
}

static void each_byte_has_its_line(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    uint64_t first = fixture_symbol(fixture, "first");
    const struct {
        unsigned at, line;
        const char *function;
    } expected[] = {{0, 5, "first"},   {1, 6, "first"},  {2, 7, "first"}, {3, 11, "second"},
                    {4, 12, "second"}, {5, 15, "label"}, {6, 16, "label"}};
    char path[256];
    snprintf(path, sizeof path, "%s/nops.s", fixture->directory);
    for (size_t i = 0; i < array_length(expected); i++) {
        struct frame_span span = fixture_resolve(fixture, first + expected[i].at, false);
        assert_int_equal(span.status, SYMBOL_LINE);
        assert_int_equal(span.count, 1);
        assert_string_equal(fixture_function(fixture, &span, 0), expected[i].function);
        assert_int_equal(span.frames[0].line, expected[i].line);
        struct symbol_file file = symbols_file(fixture->symbols, span.frames[0].file);
        assert_string_equal(file.path, path);
        assert_string_equal(file.directory, fixture->directory);
        assert_int_equal(file.module, fixture->module.id);
    }
}

static void return_address_belongs_to_the_call_before_it(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    uint64_t second = fixture_symbol(fixture, "second");
    struct frame_span span = fixture_resolve(fixture, second, true);
    assert_string_equal(fixture_function(fixture, &span, 0), "first");
    assert_int_equal(span.frames[0].line, 7);
    span = fixture_resolve(fixture, second, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "second");
    assert_int_equal(span.frames[0].line, 11);
}

static void without_debug_information_there_are_names(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, ""))
        skip();
    uint64_t first = fixture_symbol(fixture, "first");
    struct frame_span span = fixture_resolve(fixture, first + 1, false);
    assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
    assert_string_equal(fixture_function(fixture, &span, 0), "first");
    assert_int_equal(span.frames[0].file, 0);
}

static void address_without_a_symbol_is_named_after_the_module(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    struct frame_span span = fixture_resolve(fixture, 0xabcdef, false);
    assert_int_equal(span.status, SYMBOL_NO_LINE);
    assert_string_equal(fixture_function(fixture, &span, 0), "[nops.so+0xabcdef]");
}

/* Two functions with call frame information, of two bytes each, and three bytes behind each. */
static const char gaps[] = "    .text\n"
                           "first:\n"
                           "    .cfi_startproc\n"
                           "    nop\n"
                           "    ret\n"
                           "    .cfi_endproc\n"
                           "    nop\n"
                           "    nop\n"
                           "    ret\n"
                           "second:\n"
                           "    .cfi_startproc\n"
                           "    nop\n"
                           "    ret\n"
                           "    .cfi_endproc\n"
                           "    nop\n"
                           "    nop\n"
                           "    ret\n"
                           "    .section .other, \"ax\"\n"
                           "    nop\n"
                           "    ret\n"
                           "other:\n"
                           "    .section .note.GNU-stack\n";

static void assert_unnamed(struct fixture *fixture, uint64_t vaddr, uint64_t start)
{
    char expected[64];
    snprintf(expected, sizeof expected, "[gaps.so+%#" PRIx64 "]", start);
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_string_equal(fixture_function(fixture, &span, 0), expected);
}

static void code_between_known_functions_is_one_function(void **state)
{
    struct fixture *fixture = *state;
#ifndef __x86_64__
    (void)gaps, (void)assert_unnamed;
    print_message("skipped: the program is written for x86-64\n");
    skip();
#endif
    if (!have_tool("gcc") || !have_tool("strip"))
        skip();
    fixture_write(fixture, "gaps.s", gaps);
    run_or_fail("cd %s && gcc -shared -nostdlib -o gaps.so gaps.s 2>&1", fixture->directory);
    fixture_open_built(fixture, "gaps.so");
    uint64_t first = fixture_symbol(fixture, "first"), other = fixture_symbol(fixture, "other") - 2;
    run_or_fail("cd %s && strip gaps.so", fixture->directory);
    fixture_open_built(fixture, "gaps.so");
    static const unsigned starts[] = {0, 0, 2, 2, 2, 5, 5, 7, 7, 7};
    for (size_t i = 0; i < array_length(starts); i++)
        assert_unnamed(fixture, first + i, first + starts[i]);
    assert_unnamed(fixture, other, other);
    assert_unnamed(fixture, other + 1, other);
}

static void same_function_has_the_same_id(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    uint64_t first = fixture_symbol(fixture, "first");
    struct symbol_request requests[] = {{.location = 0, .vaddr = first},
                                        {.location = 1, .vaddr = first + 2},
                                        {.location = 9, .vaddr = first + 3}};
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, requests, 3), 0);
    assert_int_equal(symbols_frames(fixture->symbols, 0).status, SYMBOL_NAME_ONLY);
    assert_int_equal(symbols_resolve_lines(fixture->symbols, &fixture->module, requests, 3), 0);
    uint32_t function = symbols_frames(fixture->symbols, 0).frames[0].function;
    assert_int_equal(symbols_frames(fixture->symbols, 1).frames[0].function, function);
    assert_int_not_equal(symbols_frames(fixture->symbols, 9).frames[0].function, function);
    assert_int_equal(symbols_frames(fixture->symbols, 5).status, SYMBOL_PENDING);
    assert_int_equal(symbols_frames(fixture->symbols, 5).count, 0);
}

struct reading {
    const struct symbols *symbols;
    atomic_bool stop;
    size_t torn; /* spans that a reader should never see */
};

static void *read_all(void *user)
{
    struct reading *reading = user;
    while (!atomic_load(&reading->stop)) {
        symbols_lock_shared(reading->symbols);
        for (uint32_t location = 0; location < 2000; location++) {
            struct frame_span span = symbols_frames(reading->symbols, location);
            for (uint32_t i = 0; i < span.count; i++) {
                uint32_t function = span.frames[i].function;
                reading->torn += function >= symbols_function_count(reading->symbols) ||
                                 !symbols_function(reading->symbols, function).name[0];
                reading->torn += span.frames[i].file >= symbols_file_count(reading->symbols);
            }
            reading->torn += (span.count == 0) != (span.status == SYMBOL_PENDING);
        }
        symbols_unlock(reading->symbols);
    }
    return NULL;
}

static void readers_see_whole_answers_while_more_are_published(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    struct reading reading = {.symbols = fixture->symbols};
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);
    uint64_t first = fixture_symbol(fixture, "first");
    for (uint32_t location = 0; location < 2000; location++) {
        struct symbol_request request = {.location = location, .vaddr = first + location % 99};
        assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
        assert_int_equal(symbols_resolve_lines(fixture->symbols, &fixture->module, &request, 1), 0);
    }
    atomic_store(&reading.stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(reading.torn, 0);
}

static void unreadable_modules_have_a_reason(void **state)
{
    struct fixture *fixture = *state;
    fixture_write(fixture, "text.so", "\177ELF, but no more");
    fixture_open_built(fixture, "text.so");
    struct frame_span span = fixture_resolve(fixture, 0x10, false);
    assert_int_equal(span.status, SYMBOL_UNREADABLE);
    assert_string_equal(fixture_function(fixture, &span, 0), "[text.so+0x10]");
    assert_null(symbols_problem(fixture->symbols, &fixture->module));

    fixture_open_built(fixture, "text.so");
    close_fd(&fixture->module.fd);
    fixture->module.fd = -1;
    fixture->module.open_error = EACCES;
    span = fixture_resolve(fixture, 0x10, false);
    assert_int_equal(span.status, SYMBOL_UNREADABLE);
}

/* As an image of a Lisp system, which that maps itself. */
static void a_file_that_is_not_elf_is_one_function(void **state)
{
    struct fixture *fixture = *state;
    fixture_write(fixture, "lisp.core", "LCBS: this is not an ELF file");
    fixture_open_built(fixture, "lisp.core");
    const struct symbol_request requests[] = {{.location = 0, .vaddr = 0x10},
                                              {.location = 1, .vaddr = 0x5000}};
    uint32_t functions[2];
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, requests, 2), 0);
    assert_int_equal(symbols_resolve_lines(fixture->symbols, &fixture->module, requests, 2), 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct frame_span span = symbols_frames(fixture->symbols, i);
        assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
        assert_string_equal(fixture_function(fixture, &span, 0), "[lisp.core]");
        functions[i] = span.frames[0].function;
    }
    assert_int_equal(functions[0], functions[1]);
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "no ELF file"));
    int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(symbols_add_debug_file(fixture->symbols, &fixture->module, fd, -1), -EBADF);
}

static void anonymous_memory_is_no_module(void **state)
{
    struct fixture *fixture = *state;
    fixture_be(fixture, MODULE_ANONYMOUS, "[anon]", -1);
    struct frame_span span = fixture_resolve(fixture, 0x7f0000001234, false);
    assert_int_equal(span.status, SYMBOL_NO_MODULE);
    assert_string_equal(fixture_function(fixture, &span, 0), "[anon]");
}

static void write_map(struct fixture *fixture, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)fixture->target->inner_pid);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "7f0000001000 1000 %s\n", name) > 0);
    assert_int_equal(fclose(file), 0);
}

static const char *name_after_refresh(struct fixture *fixture, struct frame_span *span)
{
    size_t named = 0;
    assert_int_equal(symbols_refresh(fixture->symbols, true, &named), 0);
    *span = symbols_frames(fixture->symbols, 0);
    return fixture_function(fixture, span, 0);
}

static void what_a_program_compiled_keeps_its_names_when_another_one_is_executed(void **state)
{
    struct fixture *fixture = *state;
    fixture_be(fixture, MODULE_ANONYMOUS, "[anon]", -1);
    fixture->module.target = fixture->target;
    write_map(fixture, "old");
    struct frame_span span = fixture_resolve(fixture, 0x7f0000001234, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "old");
    target_set_executed(fixture->target);
    write_map(fixture, "of the next program");
    assert_string_equal(name_after_refresh(fixture, &span), "old");
    free(run("rm -f /tmp/perf-%d.map", (int)fixture->target->inner_pid));
}

static void the_map_of_a_process_that_ended_is_looked_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_be(fixture, MODULE_ANONYMOUS, "[anon]", -1);
    fixture->module.target = fixture->target;
    struct frame_span span = fixture_resolve(fixture, 0x7f0000001234, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "[anon]");
    write_map(fixture, "its last words");
    fixture->target->shared->is_final = true;
    assert_string_equal(name_after_refresh(fixture, &span), "its last words");
    write_map(fixture, "of a successor");
    assert_string_equal(name_after_refresh(fixture, &span), "its last words");
    free(run("rm -f /tmp/perf-%d.map", (int)fixture->target->inner_pid));
}

static void published_names_stand_alone(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = symbols_generation(fixture->symbols);
    assert_int_equal(symbols_publish_name(fixture->symbols, 3, "[truncated stack]"), 0);
    assert_true(symbols_generation(fixture->symbols) > before);
    struct frame_span span = symbols_frames(fixture->symbols, 3);
    assert_int_equal(span.count, 1);
    assert_int_equal(span.status, SYMBOL_NO_MODULE);
    assert_string_equal(fixture_function(fixture, &span, 0), "[truncated stack]");
    assert_true(symbols_bytes(fixture->symbols) > 0);
}

static void kernel_functions_come_from_kallsyms(void **state)
{
    struct fixture *fixture = *state;
    fixture_be(fixture, MODULE_KERNEL, "[kernel]", -1);
    _cleanup_free_ char *line =
        run("grep -E '^[0-9a-f]{16} T (vfs_read|ksys_read|schedule)$' /proc/kallsyms | head -1");
    uint64_t vaddr = line ? strtoull(line, NULL, 16) : 0;
    if (vaddr == 0) {
        struct frame_span span = fixture_resolve(fixture, 0xffffffff81000000, false);
        assert_string_equal(fixture_function(fixture, &span, 0), "[kernel]");
        assert_int_equal(span.status, SYMBOL_UNREADABLE);
        return;
    }
    line[strcspn(line, "\n")] = '\0';
    struct frame_span span = fixture_resolve(fixture, vaddr + 4, false);
    assert_string_equal(fixture_function(fixture, &span, 0), line + 19);
    assert_int_equal(span.status, SYMBOL_KERNEL);
    span = fixture_resolve(fixture, 0x1000, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "[kernel]");
}

static void nothing_is_read_once_it_is_cancelled(void **state)
{
    struct fixture *fixture = *state;
    if (!build_nops(fixture, "-g"))
        skip();
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "first")};
    const struct module kernel = {.id = 1, .kind = MODULE_KERNEL, .fd = -1};
    struct symbols *symbols = fixture->symbols;
    assert_int_equal(symbols_resolve_names(symbols, &fixture->module, &request, 1), 0);
    symbols_cancel(symbols);
    assert_int_equal(symbols_resolve_names(symbols, &fixture->module, &request, 1), -ECANCELED);
    assert_int_equal(symbols_load_lines(symbols, &fixture->module, &request, 1, NULL, NULL),
                     -ECANCELED);
    assert_int_equal(symbols_resolve_lines(symbols, &fixture->module, &request, 1), -ECANCELED);
    if (access("/proc/kallsyms", R_OK) == 0)
        assert_int_equal(symbols_resolve_names(symbols, &kernel, &request, 1), -ECANCELED);
}

static void vdso_functions_are_named(void **state)
{
    struct fixture *fixture = *state;
    const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
    if (!image) {
        print_message("skipped: this kernel maps no vdso\n");
        skip();
    }
    /* Two pages or more; what is behind a short image is unmapped and read as far as it goes. */
    int fd = memfd_create("vdso", MFD_CLOEXEC);
    for (size_t page = 0; page < 4; page++)
        if (write(fd, (const char *)image + page * 4096, 4096) != 4096)
            break;
    fixture_be(fixture, MODULE_VDSO, "[vdso]", fd);
    bool found = false;
    for (uint64_t vaddr = 0; vaddr < 4 * 4096 && !found; vaddr += 16) {
        struct frame_span span = fixture_resolve(fixture, vaddr, false);
        found = strstr(fixture_function(fixture, &span, 0), "clock_gettime");
    }
    assert_true(found);
    struct frame_span span = fixture_resolve(fixture, 0x70000, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "[vdso+0x70000]");
}

static void plt_stubs_are_named(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc") || !have_tool("objdump"))
        skip();
    fixture_write(fixture, "main.c", "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n");
    run_or_fail("cd %s && gcc -O2 -fcf-protection=none -Wl,-z,lazy -o main main.c",
                fixture->directory);
    fixture_open_built(fixture, "main");
    _cleanup_free_ char *output =
        run("objdump -d %s | awk '/<puts@plt>:/ {print $1}'", fixture->path);
    assert_non_null(output);
    assert_true(output[0]);
    struct frame_span span = fixture_resolve(fixture, strtoull(output, NULL, 16), false);
    assert_string_equal(fixture_function(fixture, &span, 0), "puts@plt");
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int status = 0; status < SYMBOL_STATUS_COUNT; status++)
        assert_string_not_equal(symbol_status_name((enum symbol_status)status), "unknown");
    assert_string_equal(symbol_status_name(SYMBOL_NO_DEBUG_INFO), "no_debug_info");
}

/* As sstrip leaves it: the dynamic linker needs no section headers, and finds its symbols. */
static void names_are_found_without_section_headers(void **state)
{
    struct fixture *fixture = *state;
    static const char *const options[] = {"-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv"};
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "library.c",
                  "int first(int x) { return x * 7; }\n"
                  "int second(int x) { return first(x) + 3; }\n");
    for (size_t i = 0; i < array_length(options); i++) {
        run_or_fail("cd %s && gcc -O1 -shared -fPIC %s -o library.so library.c", fixture->directory,
                    options[i]);
        fixture_open_built(fixture, "library.so");
        uint64_t first = fixture_symbol(fixture, "first");
        uint64_t second = fixture_symbol(fixture, "second");
        /* e_shoff, then e_shnum and e_shstrndx. */
        run_or_fail("cd %s && head -c 8 /dev/zero | dd of=library.so bs=1 seek=40 conv=notrunc "
                    "2>&1 && head -c 4 /dev/zero | dd of=library.so bs=1 seek=60 conv=notrunc 2>&1",
                    fixture->directory);
        fixture_open_built(fixture, "library.so");
        struct frame_span span = fixture_resolve(fixture, first + 1, false);
        assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
        assert_string_equal(fixture_function(fixture, &span, 0), "first");
        span = fixture_resolve(fixture, second + 1, false);
        assert_string_equal(fixture_function(fixture, &span, 0), "second");
    }
}

/* Of 20000 bytes, two for each letter: 8192 have room for 4094 of them, and an ellipsis. */
static void endless_names_are_cut_off(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    _cleanup_text_ struct text name = {0}, cut = {0}, program = {0};
    for (int i = 0; i < 10000; i++)
        text_add_string(&name, "é");
    text_add(&cut, name.bytes, 2 * 4094);
    text_add_string(&cut, "…");
    text_printf(&program, "int %s(int x)\n{\n    return x * 7;\n}\n", name.bytes);
    fixture_write(fixture, "long.c", program.bytes);
    static const char *const options[] = {"", "-g"};
    for (size_t i = 0; i < array_length(options); i++) {
        run_or_fail("cd %s && gcc %s -shared -o long.so long.c 2>&1", fixture->directory,
                    options[i]);
        fixture_open_built(fixture, "long.so");
        _cleanup_free_ char *vaddr =
            run("nm %s | awk 'length($3) > 8192 {print $1}'", fixture->path);
        assert_non_null(vaddr);
        struct frame_span span = fixture_resolve(fixture, strtoull(vaddr, NULL, 16), false);
        assert_int_equal(span.status, i ? SYMBOL_LINE : SYMBOL_NO_DEBUG_INFO);
        assert_string_equal(fixture_function(fixture, &span, 0), cut.bytes);
    }
}

/* Only where a path begins there would it be too long. */
static void endless_directories_are_cut_off(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    _cleanup_text_ struct text directory = {0};
    for (int i = 0; i < 10000; i++)
        text_add_string(&directory, "/d");
    fixture_write(fixture, "work.c", "int work(int x)\n{\n    return x * 7;\n}\n");
    run_or_fail("mkdir %s/in && cd %s/in && "
                "gcc -g -fdebug-prefix-map=$PWD=%s -shared -o ../work.so %s/work.c 2>&1",
                fixture->directory, fixture->directory, directory.bytes, fixture->directory);
    fixture_open_built(fixture, "work.so");
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "work"), false);
    struct symbol_file file = symbols_file(fixture->symbols, span.frames[0].file);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_int_equal(strlen(file.directory), 8192);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(names_are_found_without_section_headers),
        test(each_byte_has_its_line),
        test(return_address_belongs_to_the_call_before_it),
        test(without_debug_information_there_are_names),
        test(address_without_a_symbol_is_named_after_the_module),
        test(code_between_known_functions_is_one_function),
        test(same_function_has_the_same_id),
        test(readers_see_whole_answers_while_more_are_published),
        test(unreadable_modules_have_a_reason),
        test(a_file_that_is_not_elf_is_one_function),
        test(anonymous_memory_is_no_module),
        test(what_a_program_compiled_keeps_its_names_when_another_one_is_executed),
        test(the_map_of_a_process_that_ended_is_looked_at_once),
        test(published_names_stand_alone),
        test(kernel_functions_come_from_kallsyms),
        test(nothing_is_read_once_it_is_cancelled),
        test(vdso_functions_are_named),
        test(plt_stubs_are_named),
        test(endless_names_are_cut_off),
        test(endless_directories_are_cut_off),
        test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
