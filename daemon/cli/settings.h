/* What lprofd was asked to do. */
#pragma once

#include <stdbool.h>

#include "cli/options.h"
#include "lprofd/session.h"

#define SETTINGS_PIDS_MAX 64
#define SETTINGS_LISTEN_MAX 16
#define SETTINGS_FILES_MAX 16
#define SETTINGS_SOURCE_PATHS_MAX 64

struct settings {
    pid_t pids[SETTINGS_PIDS_MAX];
    size_t pid_count;
    const char *listen[SETTINGS_LISTEN_MAX]; /* borrowed from argv */
    size_t listen_count;
    const char *token_file; /* borrowed from argv */
    bool no_http;
    const char *output; /* where to save the session; borrowed from argv; NULL: nowhere */
    bool no_source_text;
    const char *files[SETTINGS_FILES_MAX]; /* saved profiles to open; borrowed from argv */
    size_t file_count;
    bool no_symbol_cache;
    char *symbol_cache;             /* owned: where session.symbol_cache points, unless NULL */
    struct session_options session; /* strings borrowed from argv; source_paths points below */
    struct source_path source_paths[SETTINGS_SOURCE_PATHS_MAX]; /* strings owned */
};

extern const struct program_spec lprofd_program;

/* Parses the command line of lprofd. The settings are to be freed whatever the outcome. */
enum options_outcome settings_parse(int argc, char **argv, struct settings *ret_settings,
                                    struct failure *ret_failure);
void settings_free(struct settings *settings);

/* The value of a --memory-limit. 0 or -EINVAL. */
int settings_memory_limit(const char *value, uint64_t *ret_bytes, struct failure *ret_failure);
