/* The profile and the symbols of a made-up session. */
#pragma once

#include "fake_session.h"

struct fake_view {
    struct profile_view view;
    struct module module;
    const struct session *session;
};

static const struct profile_thread fake_threads[] = {
    {.tid = 1234, .name = "primes", .state = THREAD_RUNNING},
    {.tid = 1235, .name = "wor\xffker", .state = THREAD_SLEEPING},
};

int session_view(struct session *session, struct profile_view **ret_view)
{
    struct fake_view *fake = calloc(1, sizeof *fake);
    fake->session = session;
    fake->module = (struct module){.id = 1, .kind = MODULE_FILE, .fd = -1};
    fake->module.path = (char *)(uintptr_t) "/src/primes";
    fake->view = (struct profile_view){
        .symbols = (const struct symbols *)session,
        .module_count = 2,
        .threads = fake_threads,
        .thread_count = 2,
        .duration_ns = session->duration_ns,
    };
    *ret_view = &fake->view;
    return 0;
}

void profile_view_free(struct profile_view *view)
{
    free(view);
}

const struct module *profile_view_module(const struct profile_view *view, uint32_t id)
{
    (void)id;
    return &((const struct fake_view *)view)->module;
}

void symbols_lock_shared(const struct symbols *symbols)
{
    (void)symbols;
}

void symbols_unlock(const struct symbols *symbols)
{
    (void)symbols;
}

struct symbol_function symbols_function(const struct symbols *symbols, uint32_t id)
{
    (void)symbols;
    return (struct symbol_function){id == 1 ? "main" : "ope\xffrator<<", 1, id == 1, 1};
}

struct symbol_file symbols_file(const struct symbols *symbols, uint32_t id)
{
    (void)symbols;
    return (struct symbol_file){.path = fake_paths[id], .directory = "/src", .module = 1};
}

uint32_t symbols_file_count(const struct symbols *symbols)
{
    (void)symbols;
    return FAKE_FILES + 1;
}

uint32_t symbols_function_count(const struct symbols *symbols)
{
    (void)symbols;
    return 3;
}

uint64_t symbols_generation(const struct symbols *symbols)
{
    return ((const struct session *)symbols)->generation;
}

struct symbol_jit symbols_jit(const struct symbols *symbols)
{
    (void)symbols;
    return (struct symbol_jit){0};
}

const char *symbol_status_name(enum symbol_status status)
{
    static const char *const names[] = {"pending",       "name_only",  "line",
                                        "no_debug_info", "no_line",    "no_module",
                                        "kernel",        "unreadable", "damaged"};
    return names[status];
}
