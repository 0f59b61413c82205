/* The option table of lprofd. */
#include "cli/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/symbol_cache.h"

static int store_pid(void *user, const char *value, struct failure *failure)
{
    struct settings *settings = user;
    long long pid = 0;
    if (settings->pid_count == SETTINGS_PIDS_MAX)
        return failure_set(failure, -EINVAL, "at most %d processes", SETTINGS_PIDS_MAX);
    if (options_number(value, 1, 1 << 22, &pid, failure))
        return -EINVAL;
    settings->pids[settings->pid_count++] = (pid_t)pid;
    return 0;
}

static int store_listen(void *user, const char *value, struct failure *failure)
{
    struct settings *settings = user;
    if (settings->listen_count == SETTINGS_LISTEN_MAX)
        return failure_set(failure, -EINVAL, "at most %d addresses", SETTINGS_LISTEN_MAX);
    settings->listen[settings->listen_count++] = value;
    return 0;
}

static int store_token_file(void *user, const char *value, struct failure *failure)
{
    (void)failure;
    ((struct settings *)user)->token_file = value;
    return 0;
}

static int store_frequency(void *user, const char *value, struct failure *failure)
{
    long long hertz = 0;
    if (options_number(value, 1, SESSION_FREQUENCY_MAX_HZ, &hertz, failure))
        return -EINVAL;
    ((struct settings *)user)->session.frequency_hz = (uint32_t)hertz;
    return 0;
}

/* One of the words in a NULL-terminated list. */
static int store_word(const char **ret_word, const char *value, const char *const *words,
                      struct failure *failure)
{
    char list[128] = "";
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *ret_word = words[i];
            return 0;
        }
        if (i)
            strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    return failure_set(failure, -EINVAL, "must be one of %s", list);
}

static int store_event(void *user, const char *value, struct failure *failure)
{
    return store_word(&((struct settings *)user)->session.event, value, session_event_names,
                      failure);
}

static int store_backend(void *user, const char *value, struct failure *failure)
{
    return store_word(&((struct settings *)user)->session.backend, value, session_backend_names,
                      failure);
}

static int store_stack_size(void *user, const char *value, struct failure *failure)
{
    unsigned long long bytes = 0;
    if (options_bytes(value, &bytes, failure))
        return -EINVAL;
    if (bytes < 512 || bytes > SESSION_STACK_MAX_BYTES || bytes % 8)
        return failure_set(failure, -EINVAL, "must be a multiple of 8 from 512 to %d",
                           SESSION_STACK_MAX_BYTES);
    ((struct settings *)user)->session.stack_bytes = (uint32_t)bytes;
    return 0;
}

static int store_follow(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct settings *)user)->session.follow = true;
    return 0;
}

static int store_duration(void *user, const char *value, struct failure *failure)
{
    unsigned long long duration_ns = 0;
    if (options_seconds(value, &duration_ns, failure))
        return -EINVAL;
    ((struct settings *)user)->session.duration_ns = duration_ns;
    return 0;
}

static int store_no_http(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct settings *)user)->no_http = true;
    return 0;
}

static int store_source_path(void *user, const char *value, struct failure *failure)
{
    struct settings *settings = user;
    struct session_options *session = &settings->session;
    const char *equals = strchr(value, '=');
    const char *new_prefix = equals ? equals + 1 : value;
    if (session->source_path_count == SETTINGS_SOURCE_PATHS_MAX)
        return failure_set(failure, -EINVAL, "at most %d of them", SETTINGS_SOURCE_PATHS_MAX);
    if (!*new_prefix || equals == value)
        return failure_set(failure, -EINVAL, "must be NEW or OLD=NEW, neither of them empty");
    struct source_path *path = &settings->source_paths[session->source_path_count++];
    path->old_prefix = strndup(value, equals ? (size_t)(equals - value) : 0);
    path->new_prefix = strdup(new_prefix);
    if (!path->old_prefix || !path->new_prefix)
        return failure_set(failure, -EINVAL, "out of memory");
    return 0;
}

int settings_memory_limit(const char *value, uint64_t *ret_bytes, struct failure *ret_failure)
{
    unsigned long long bytes = 0;
    if (options_bytes(value, &bytes, ret_failure))
        return -EINVAL;
    if (bytes < (1 << 20))
        return failure_set(ret_failure, -EINVAL, "must be at least 1M");
    *ret_bytes = bytes;
    return 0;
}

static int store_memory_limit(void *user, const char *value, struct failure *failure)
{
    struct settings *settings = user;
    return settings_memory_limit(value, &settings->session.memory_limit_bytes, failure);
}

/* As it is saved, it can be opened. */
static bool is_profile(const char *word)
{
    static const char suffix[] = ".lprof";
    size_t length = strlen(word);
    return length > sizeof suffix - 1 && strcmp(word + length - (sizeof suffix - 1), suffix) == 0;
}

static int store_output(void *user, const char *value, struct failure *failure)
{
    if (!is_profile(value))
        return failure_set(failure, -EINVAL, "must end in .lprof");
    ((struct settings *)user)->output = value;
    return 0;
}

static int store_no_source_text(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct settings *)user)->no_source_text = true;
    return 0;
}

static int store_symbol_cache(void *user, const char *value, struct failure *failure)
{
    struct settings *settings = user;
    free(settings->symbol_cache);
    settings->symbol_cache = NULL;
    settings->no_symbol_cache = strcmp(value, "off") == 0;
    if (settings->no_symbol_cache)
        return 0;
    if (value[0] != '/')
        return failure_set(failure, -EINVAL, "must be an absolute path, or off");
    settings->symbol_cache = strdup(value);
    return settings->symbol_cache ? 0 : failure_set(failure, -EINVAL, "out of memory");
}

static const struct option_spec options[] = {
    {"pid", "PID", "attach to this process (repeatable)", store_pid},
    {"listen", "ADDR[:PORT]",
     "serve there instead of localhost:8080; port 0 picks a free one; other than loopback only "
     "with --token-file (repeatable)",
     store_listen},
    {"token-file", "FILE", "every request must carry the token that is this file's first line",
     store_token_file},
    {"frequency", "HZ", "samples per second and CPU, 1 to 50000 (default 997)", store_frequency},
    {"event", "NAME", "sample by auto (default), cycles, cpu-clock or task-clock", store_event},
    {"backend", "NAME",
     "capture by auto (default), perf-cpu, perf-task, perf-thread (perf events per CPU, per thread "
     "and CPU, per thread) or ptrace (needs no perf events, but stops the target)",
     store_backend},
    {"stack-size", "BYTES",
     "user stack copied with each sample (default 16384, and more where that is too little)",
     store_stack_size},
    {"follow", NULL, "profile the target's children too", store_follow},
    {"duration", "SECONDS", "stop sampling after that long", store_duration},
    {"no-http", NULL,
     "no server: print the hottest lines when sampling stops, and functions where most have no "
     "line",
     store_no_http},
    {"output", "FILE.lprof",
     "when sampling stops, save the profile there, with the source texts: for `lprof report` and "
     "`lprofd FILE.lprof`, on any machine",
     store_output},
    {"no-source-text", NULL, "save no source texts with --output", store_no_source_text},
    {"source-path", "[OLD=]NEW",
     "where sources are found: NEW in place of OLD; without OLD, for /b/src/a.c the first that is "
     "there of NEW/b/src/a.c, NEW/src/a.c and NEW/a.c (repeatable)",
     store_source_path},
    {"memory-limit", "BYTES", "memory for one session's data (default 256M)", store_memory_limit},
    {"symbol-cache", "DIR|off",
     "where symbols of much debug information are kept, so that the next session has them at once "
     "(default ~/.cache/lprofd/symbols; root: /var/cache/lprofd/symbols)",
     store_symbol_cache},
    {0},
};

static const char *const usages[] = {
    "--pid PID [options]",
    "[options] -- COMMAND [ARG ...]",
    "FILE.lprof ... [options]",
    "[options]",
    NULL,
};

static const char *const examples[] = {
    "lprofd --pid 1234",
    "profile process 1234, live at http://localhost:8080",
    "lprofd -- ./program input.txt",
    "start a program and profile it from its first instruction",
    "lprofd --pid 1234 --duration 10 --no-http",
    "sample for ten seconds and print the hottest lines",
    "lprofd --output run.lprof --no-http -- ./program",
    "save the profile of a whole run",
    "lprofd run.lprof",
    "look at it in the browser",
    "lprofd",
    "choose the process in the browser",
    NULL,
};

const struct program_spec lprofd_program = {
    .name = "lprofd",
    .summary = "line-level sampling profiler with live annotated source",
    .usages = usages,
    .description =
        "Attaches to a running process, or starts one, samples where it spends its CPU time, and "
        "shows the cost of every source line live in the browser and as JSON. The target runs on "
        "undisturbed; its end keeps the data until lprofd is stopped. Profiles that were saved "
        "with "
        "--output can be opened again, alone or beside others.",
    .options = options,
    .examples = examples,
};

/* Words are saved profiles. */
static int take_words(struct settings *settings, const struct arguments *arguments,
                      struct failure *failure)
{
    for (int i = 0; i < arguments->word_count; i++) {
        if (!is_profile(arguments->words[i]))
            return failure_set(failure, -EINVAL,
                               "a command to start goes after --, and a saved profile ends in "
                               ".lprof: see lprofd --help");
        if (settings->file_count == SETTINGS_FILES_MAX)
            return failure_set(failure, -EINVAL,
                               "at most %d saved profiles at once: see lprofd --help",
                               SETTINGS_FILES_MAX);
        settings->files[settings->file_count++] = arguments->words[i];
    }
    return 0;
}

/* What does not go together. NULL when all does. */
static const char *find_mistake(const struct settings *settings, const struct arguments *arguments)
{
    bool has_target = arguments->command || settings->pid_count;
    if (arguments->command && !arguments->command[0])
        return "the command after -- is missing";
    if (arguments->command && settings->pid_count)
        return "--pid and a command exclude each other";
    if (settings->no_http && !has_target)
        return "--no-http needs --pid or a command";
    if (settings->output && (!has_target || settings->pid_count > 1))
        return "--output saves one session: it needs one --pid, or a command";
    if (settings->no_source_text && !settings->output)
        return "--no-source-text needs --output";
    return NULL;
}

enum options_outcome settings_parse(int argc, char **argv, struct settings *ret_settings,
                                    struct failure *ret_failure)
{
    struct settings *settings = ret_settings;
    struct arguments arguments;
    *settings = (struct settings){0};
    enum options_outcome outcome =
        options_parse(&lprofd_program, argc, argv, settings, &arguments, ret_failure);
    if (outcome != OPTIONS_RUN)
        return outcome;

    if (take_words(settings, &arguments, ret_failure))
        return OPTIONS_WRONG;
    const char *mistake = find_mistake(settings, &arguments);
    if (mistake) {
        failure_set(ret_failure, -EINVAL, "%s: see lprofd --help", mistake);
        return OPTIONS_WRONG;
    }
    if (!settings->symbol_cache && !settings->no_symbol_cache)
        settings->symbol_cache = symbol_cache_default();
    settings->session.symbol_cache = settings->symbol_cache;
    settings->session.command = arguments.command;
    settings->session.source_paths = settings->source_paths;
    return OPTIONS_RUN;
}

void settings_free(struct settings *settings)
{
    for (size_t i = 0; i < settings->session.source_path_count; i++) {
        free(settings->source_paths[i].old_prefix);
        free(settings->source_paths[i].new_prefix);
    }
    free(settings->symbol_cache);
}
