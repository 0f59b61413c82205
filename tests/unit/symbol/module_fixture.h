/* Modules made of files on disk, programs compiled for a test, and what other tools say of them. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "lprofd/symbols.h"

struct fixture {
    char directory[64];
    struct target *target;   /* this process */
    struct symbols *symbols; /* fresh for each test */
    struct module module;
    char path[256];
};

struct addresses {
    uint64_t *items; /* owned */
    size_t count, capacity;
};

static inline void addresses_free(struct addresses *addresses)
{
    free(addresses->items);
}

static inline void addresses_add(struct addresses *addresses, uint64_t vaddr)
{
    assert_int_equal(array_reserve(&addresses->items, &addresses->capacity, addresses->count + 1,
                                   sizeof *addresses->items),
                     0);
    addresses->items[addresses->count++] = vaddr;
}

/* Runs a shell command; all of its output, or NULL when it failed. The caller frees it. */
__attribute__((format(printf, 1, 2))) static inline char *run(const char *format, ...)
{
    char *command = NULL;
    struct text output = {0};
    char chunk[4096];
    size_t got;
    va_list arguments;
    va_start(arguments, format);
    assert_true(vasprintf(&command, format, arguments) > 0);
    va_end(arguments);
    FILE *pipe = popen(command, "r");
    free(command);
    assert_non_null(pipe);
    text_add(&output, "", 0);
    while ((got = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        text_add(&output, chunk, got);
    if (pclose(pipe) != 0)
        text_free(&output);
    return output.bytes;
}

#define run_or_fail(...)                                                                           \
    do {                                                                                           \
        _cleanup_free_ char *output_ = run(__VA_ARGS__);                                           \
        assert_non_null(output_);                                                                  \
    } while (0)

static inline bool have_tool(const char *name)
{
    _cleanup_free_ char *path = run("command -v %s", name);
    if (!path)
        print_message("skipped: %s is not installed\n", name);
    return path;
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/lprofd-symbol-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(target_open(getpid(), &fixture->target), 0);
    assert_int_equal(symbols_new(&fixture->symbols), 0);
    fixture->module.fd = -1;
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    symbols_free(fixture->symbols);
    target_free(fixture->target);
    close_fd(&fixture->module.fd);
    free(run("rm -rf %s", fixture->directory));
    free(fixture);
    return 0;
}

static inline void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    _cleanup_file_ FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
}

/* Makes fixture->module the file at `path`, with symbols that know nothing yet. */
static inline void fixture_open(struct fixture *fixture, const char *path)
{
    static uint32_t id = 1;
    close_fd(&fixture->module.fd);
    symbols_free(fixture->symbols);
    assert_int_equal(symbols_new(&fixture->symbols), 0);
    snprintf(fixture->path, sizeof fixture->path, "%s", path);
    fixture->module = (struct module){
        .id = id++,
        .kind = MODULE_FILE,
        .path = fixture->path,
        .fd = open(path, O_RDONLY | O_CLOEXEC),
        .target = fixture->target,
    };
    assert_true(fixture->module.fd >= 0);
}

/* Makes fixture->module one without a file of its own; takes over `fd`, which may be -1. */
static inline void fixture_be(struct fixture *fixture, enum module_kind kind, const char *path,
                              int fd)
{
    snprintf(fixture->path, sizeof fixture->path, "%s", path);
    fixture->module = (struct module){.id = 1, .kind = kind, .path = fixture->path, .fd = fd};
}

static inline void fixture_open_built(struct fixture *fixture, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    fixture_open(fixture, path);
}

/* Names, then lines, of one address as location 0. */
static inline struct frame_span fixture_resolve(struct fixture *fixture, uint64_t vaddr,
                                                bool is_return_address)
{
    struct symbol_request request = {.vaddr = vaddr, .is_return_address = is_return_address};
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
    assert_int_equal(symbols_frames(fixture->symbols, 0).count, 1);
    assert_int_equal(symbols_resolve_lines(fixture->symbols, &fixture->module, &request, 1), 0);
    return symbols_frames(fixture->symbols, 0);
}

static inline const char *fixture_function(const struct fixture *fixture,
                                           const struct frame_span *span, uint32_t at)
{
    assert_true(at < span->count);
    return symbols_function(fixture->symbols, span->frames[at].function).name;
}

/* The address of a symbol of fixture->module, as nm sees it. */
static inline uint64_t fixture_symbol(const struct fixture *fixture, const char *name)
{
    _cleanup_free_ char *output = run("nm %s | awk '$3 == \"%s\" {print $1}'", fixture->path, name);
    assert_non_null(output);
    assert_true(output[0]);
    return strtoull(output, NULL, 16);
}

/* Every `step`th byte of every function that has a size: padding between them belongs to nobody. */
static inline void fixture_add_functions(const struct fixture *fixture, const char *nm_options,
                                         uint64_t step, struct addresses *addresses)
{
    _cleanup_free_ char *output =
        run("nm -S --defined-only %s %s | awk '$3 ~ /^[tTwWi]$/ && NF == 4 {print $1, $2}'",
            nm_options, fixture->path);
    assert_non_null(output);
    for (char *cursor = output; *cursor;) {
        uint64_t start = strtoull(cursor, &cursor, 16);
        uint64_t bytes = strtoull(cursor, &cursor, 16);
        for (uint64_t at = 0; at < bytes; at += step)
            addresses_add(addresses, start + at);
        cursor += strspn(cursor, "\n");
    }
    assert_true(addresses->count > 0);
}

/* "0x1234\nfunction\npath:line\n..." for each address, as we say it. */
static inline char *fixture_describe(struct fixture *fixture, const struct addresses *addresses)
{
    struct text text = {0};
    _cleanup_free_ struct symbol_request *requests = calloc(addresses->count + 1, sizeof *requests);
    assert_non_null(requests);
    for (size_t i = 0; i < addresses->count; i++)
        requests[i] =
            (struct symbol_request){.location = (uint32_t)i, .vaddr = addresses->items[i]};
    assert_int_equal(
        symbols_resolve_lines(fixture->symbols, &fixture->module, requests, addresses->count), 0);
    symbols_lock_shared(fixture->symbols);
    for (size_t i = 0; i < addresses->count; i++) {
        struct frame_span span = symbols_frames(fixture->symbols, (uint32_t)i);
        text_printf(&text, "%#" PRIx64 "\n", addresses->items[i]);
        for (uint32_t k = 0; k < span.count; k++) {
            const char *path = symbols_file(fixture->symbols, span.frames[k].file).path;
            text_printf(&text, "%s\n%s:%u\n",
                        symbols_function(fixture->symbols, span.frames[k].function).name,
                        path[0] ? path : "??", span.frames[k].line);
        }
    }
    symbols_unlock(fixture->symbols);
    assert_false(text.failed);
    return text.bytes;
}

/*
 * The same as eu-addr2line says it. Its lines "leaf inlined at a.c:4:5 in main" lose what follows
 * the name, "a.c:4:5 (discriminator 2)" what follows the line.
 */
static inline char *fixture_describe_by_elfutils(const struct fixture *fixture,
                                                 const struct addresses *addresses)
{
    struct text list = {0};
    for (size_t i = 0; i < addresses->count; i++)
        text_printf(&list, "%#" PRIx64 "\n", addresses->items[i]);
    char path[256];
    snprintf(path, sizeof path, "%s/addresses", fixture->directory);
    _cleanup_file_ FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(list.bytes, file) >= 0);
    assert_int_equal(fflush(file), 0);
    text_free(&list);
    char *output = run("eu-addr2line -a -i -f -C -e %s < %s | sed -E "
                       "-e 's/^0x0*([0-9a-f]+)$/0x\\1/' -e 's/ inlined at .*//' "
                       "-e 's/ \\(discriminator [0-9]+\\)//' "
                       "-e 's/^(.*):([0-9]+):[0-9]+$/\\1:\\2/'",
                       fixture->path, path);
    assert_non_null(output);
    return output;
}

/* Shows a few lines around the first difference. */
static inline void assert_same_text(const char *ours, const char *theirs)
{
    size_t at = 0;
    while (ours[at] && ours[at] == theirs[at])
        at++;
    if (ours[at] == theirs[at])
        return;
    size_t from = at > 300 ? at - 300 : 0;
    fail_msg("ours: ...%.500s...\ntheirs: ...%.500s...", ours + from, theirs + from);
}

static inline void assert_agrees_with_elfutils(struct fixture *fixture,
                                               const struct addresses *addresses)
{
    _cleanup_free_ char *ours = fixture_describe(fixture, addresses);
    _cleanup_free_ char *theirs = fixture_describe_by_elfutils(fixture, addresses);
    assert_same_text(ours, theirs);
}
