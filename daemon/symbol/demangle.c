/* Demangling by libiberty, with a bound on what a name may expand to. */
#include "symbol/demangle.h"

#include <errno.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANGLED_BYTES_MAX 16384
#define READABLE_BYTES_MAX 65536
/* A D type may refer back to an earlier one, so that each reference may double the work. */
#define D_BACK_REFERENCES_MAX 16

struct output {
    char *bytes; /* owned by demangle_bounded */
    size_t length;
    jmp_buf too_long;
};

/*
 * Substitutions let a short name expand exponentially. The demanglers cannot be told to stop, but
 * they keep their state on the stack, so leaving them by a jump is clean.
 */
static void collect(const char *text, size_t length, void *user)
{
    struct output *output = user;
    if (length >= READABLE_BYTES_MAX - output->length)
        longjmp(output->too_long, 1);
    if (length) /* an empty text may be NULL */
        memcpy(output->bytes + output->length, text, length);
    output->length += length;
}

/*
 * A binder of Rust's v0 names says how many lifetimes it has in digits of base 62, and libiberty
 * counts them one by one. Real ones have one digit; "FG" or "DG" before more of them is a trap, or
 * once in a few hundred crates a part of its hash, whose names then stay as they are.
 */
static bool has_large_binder(const char *symbol)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *end = symbol; /* of the run of digits that was looked at last */
    for (const char *cursor = symbol + 1; (cursor = strchr(cursor, 'G')); cursor++) {
        if (cursor + 1 > end)
            end = cursor + 1 + strspn(cursor + 1, digits);
        if ((cursor[-1] == 'F' || cursor[-1] == 'D') && end - cursor > 2 && *end == '_')
            return true;
    }
    return false;
}

static bool run_demanglers(const char *symbol, struct output *output)
{
    const int options = DMGL_PARAMS | DMGL_ANSI;
    if (setjmp(output->too_long))
        return false;
    if (rust_demangle_callback(symbol, options, collect, output))
        return true;
    output->length = 0;
    return cplus_demangle_v3_callback(symbol, options, collect, output) != 0;
}

static char *demangle_bounded(const char *symbol)
{
    struct output output = {.bytes = malloc(READABLE_BYTES_MAX)};
    if (!output.bytes)
        return NULL;
    char *name = NULL;
    if (run_demanglers(symbol, &output))
        name = strndup(output.bytes, output.length);
    free(output.bytes);
    return name;
}

static char *demangle_d(const char *symbol)
{
    size_t references = 0;
    for (const char *cursor = symbol; *cursor; cursor++)
        references += *cursor == 'Q';
    return references <= D_BACK_REFERENCES_MAX ? dlang_demangle(symbol, DMGL_PARAMS) : NULL;
}

/* gfortran's procedure of a module: __solver_MOD_step. Modules have lower case letters only. */
static char *demangle_fortran(const char *symbol)
{
    const char *module = symbol + 2;
    size_t length = strspn(module, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length < 2 || module[length - 1] != '_' || strncmp(module + length, "MOD_", 4) != 0 ||
        !module[length + 4])
        return NULL;
    char *name;
    return asprintf(&name, "%.*s::%s", (int)length - 1, module, module + length + 4) < 0 ? NULL
                                                                                         : name;
}

int demangle(const char *symbol, char **ret_name)
{
    char *name = NULL;
    if (symbol[0] == '_' && strnlen(symbol, MANGLED_BYTES_MAX) < MANGLED_BYTES_MAX) {
        if (symbol[1] == 'Z' || (symbol[1] == 'R' && !has_large_binder(symbol)))
            name = demangle_bounded(symbol);
        else if (symbol[1] == 'D')
            name = demangle_d(symbol);
        else if (symbol[1] == '_')
            name = demangle_fortran(symbol);
    }
    if (!name)
        name = strndup(symbol, MANGLED_BYTES_MAX);
    if (!name)
        return -ENOMEM;
    *ret_name = name;
    return 0;
}
