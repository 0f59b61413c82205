/* lprof: the client of running daemons and of saved profiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/doctor.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/remote_diff.h"
#include "cli/remote_report.h"
#include "cli/report_text.h"
#include "cli/settings.h"
#include "cli/token.h"

#define LIMIT_DEFAULT 30
#define LIMIT_MAX 10000
#define EXIT_USAGE 2

struct lprof_settings {
    struct remote_report report;
    const char *token_file;
    struct session_options load; /* how a file is read */
    pid_t pid;
};

static int store_lines(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct lprof_settings *)user)->report.functions = false;
    ((struct lprof_settings *)user)->report.lines = true;
    return 0;
}

static int store_functions(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct lprof_settings *)user)->report.functions = true;
    return 0;
}

static int store_source(void *user, const char *value, struct failure *failure)
{
    if (!*value)
        return failure_set(failure, -EINVAL, "must be a path, or the end of one");
    ((struct lprof_settings *)user)->report.source = value;
    return 0;
}

static int store_self(void *user, const char *value, struct failure *failure)
{
    (void)value;
    (void)failure;
    ((struct lprof_settings *)user)->report.self = true;
    return 0;
}

static int store_sort(void *user, const char *value, struct failure *failure)
{
    bool by_total = strcmp(value, "total") == 0;
    if (!by_total && strcmp(value, "self") != 0)
        return failure_set(failure, -EINVAL, "must be self or total");
    ((struct lprof_settings *)user)->report.by_total = by_total;
    return 0;
}

static int store_limit(void *user, const char *value, struct failure *failure)
{
    long long limit = 0;
    if (options_number(value, 1, LIMIT_MAX, &limit, failure))
        return -EINVAL;
    ((struct lprof_settings *)user)->report.limit = (uint32_t)limit;
    return 0;
}

static int store_session(void *user, const char *value, struct failure *failure)
{
    long long id = 0;
    if (options_number(value, 1, UINT32_MAX, &id, failure))
        return -EINVAL;
    ((struct lprof_settings *)user)->report.session = (uint32_t)id;
    return 0;
}

static int store_token_file(void *user, const char *value, struct failure *failure)
{
    (void)failure;
    ((struct lprof_settings *)user)->token_file = value;
    return 0;
}

static int store_pid(void *user, const char *value, struct failure *failure)
{
    long long pid = 0;
    if (options_number(value, 1, 1 << 22, &pid, failure))
        return -EINVAL;
    ((struct lprof_settings *)user)->pid = (pid_t)pid;
    return 0;
}

static int store_memory_limit(void *user, const char *value, struct failure *failure)
{
    return settings_memory_limit(value, &((struct lprof_settings *)user)->load.memory_limit_bytes,
                                 failure);
}

static const struct option_spec report_options[] = {
    {"lines", NULL, "report, diff: lines (default; report adds functions where most have no line)",
     store_lines},
    {"functions", NULL, "report, diff: functions", store_functions},
    {"source", "PATH",
     "report: the annotated listing of the file whose path ends in PATH, as line_profiler prints "
     "it",
     store_source},
    {"self", NULL, "report: the listing shows self times instead of times with callees",
     store_self},
    {"sort", "COLUMN", "report, diff: by self (default) or total", store_sort},
    {"limit", "N", "report, diff: at most N rows (default 30)", store_limit},
    {"session", "ID", "report: that session instead of the newest", store_session},
    {"token-file", "FILE", "report, diff: the token that lprofd was given", store_token_file},
    {"memory-limit", "BYTES", "report, diff: memory for a saved profile (default 256M)",
     store_memory_limit},
    {"pid", "PID", "doctor: look at this process too", store_pid},
    {0},
};

static const char *const usages[] = {
    "report URL|FILE.lprof [options]",
    "diff URL URL [options]",
    "diff FILE.lprof FILE.lprof [options]",
    "doctor [--pid PID]",
    NULL,
};

static const char *const examples[] = {
    "lprof report http://localhost:8080",
    "the hottest lines of what lprofd profiles there",
    "lprof report http://localhost:8080 --source lvm.c",
    "the annotated source of one file",
    "lprof report run.lprof --functions",
    "the hottest functions of a profile that lprofd saved",
    "lprof diff http://localhost:8080/api/v1/sessions/1 http://localhost:8080/api/v1/sessions/2",
    "what changed between two sessions, line by line, and whether by more than chance",
    "lprof doctor --pid 1234",
    "what works on this machine and for this process, and the remedy for what does not",
    NULL,
};

static const struct program_spec program = {
    .name = "lprof",
    .summary =
        "reports of a running lprofd or a saved profile, and what lprofd needs on this machine",
    .usages = usages,
    .description =
        "Prints what a running lprofd knows, or what it saved, as text: `lprof report`. `lprof "
        "diff` compares two files, two sessions of a running lprofd, or two ranges of one: "
        "?from_ns=...&to_ns=... behind its URL. `lprof doctor` tries everything that lprofd needs "
        "and says what to do where it fails.",
    .options = report_options,
    .examples = examples,
};

static int fail(const struct failure *failure, int exit_code)
{
    report_text_failure("lprof", failure, stderr);
    return exit_code;
}

static int usage_error(const char *what)
{
    fprintf(stderr, "lprof: %s: see lprof --help\n", what);
    return EXIT_USAGE;
}

static int unknown_command(const char *command)
{
    fprintf(stderr, "lprof: there is no command '%.100s': see lprof --help\n", command);
    return EXIT_USAGE;
}

/* Where the words behind the command say that sessions are. 0, or the exit code. */
static int open_origin(const struct lprof_settings *settings, const struct arguments *arguments,
                       char **ret_token, struct origin *ret_origin)
{
    struct failure failure = {0};
    if (settings->token_file && token_read(settings->token_file, ret_token, &failure))
        return fail(&failure, EXIT_BAD_CONFIGURATION);
    if (origin_open(arguments->words + 1, (size_t)arguments->word_count - 1, &settings->load,
                    ret_origin, &failure))
        return fail(&failure, failure_exit_code(&failure));
    ret_origin->token = *ret_token;
    return 0;
}

static int run_report(const struct lprof_settings *settings, const struct arguments *arguments)
{
    struct failure failure = {0};
    _cleanup_free_ char *token = NULL;
    _cleanup_origin_ struct origin origin = {0};
    if (arguments->word_count != 2)
        return usage_error("report takes one URL, such as http://localhost:8080, or one file");
    const char *from = arguments->words[1];
    const char *rest = client_is_url(from) ? client_url_rest(from) : "";
    if (strcmp(rest, "") != 0 && strcmp(rest, "/") != 0)
        return usage_error("report takes the URL of an lprofd, such as http://localhost:8080, and "
                           "the session by --session ID");
    int exit_code = open_origin(settings, arguments, &token, &origin);
    if (exit_code)
        return exit_code;
    struct remote_report report = settings->report;
    report.origin = &origin;
    return remote_report_print(&report, stdout, &failure)
               ? fail(&failure, failure_exit_code(&failure))
               : EXIT_SUCCESS;
}

static int run_diff(struct lprof_settings *settings, const struct arguments *arguments)
{
    struct failure failure = {0};
    _cleanup_free_ char *token = NULL;
    _cleanup_origin_ struct origin origin = {0};
    if (arguments->word_count != 3)
        return usage_error("diff takes two URLs of sessions, such as "
                           "http://localhost:8080/api/v1/sessions/1, or two files");
    if (client_is_url(arguments->words[1]) != client_is_url(arguments->words[2]))
        return usage_error(
            "diff compares two sessions of one running lprofd, which may have opened "
            "a file, or two files");
    int exit_code = open_origin(settings, arguments, &token, &origin);
    if (exit_code)
        return exit_code;
    struct remote_diff diff = {
        .urls = {arguments->words[1], arguments->words[2]},
        .origin = &origin,
        .functions = settings->report.functions,
        .by_total = settings->report.by_total,
        .limit = settings->report.limit,
    };
    int error = remote_diff_print(&diff, stdout, &failure);
    if (error)
        return fail(&failure, error == -EINVAL ? EXIT_USAGE : failure_exit_code(&failure));
    return EXIT_SUCCESS;
}

static int run(struct lprof_settings *settings, const struct arguments *arguments)
{
    const char *command = arguments->word_count ? arguments->words[0] : "";
    if (strcmp(command, "report") == 0)
        return run_report(settings, arguments);
    if (strcmp(command, "diff") == 0)
        return run_diff(settings, arguments);
    if (strcmp(command, "doctor") == 0)
        return arguments->word_count == 1 ? doctor_run(settings->pid, stdout)
                                          : usage_error("doctor takes no arguments but --pid");
    return *command ? unknown_command(command) : usage_error("a command is missing");
}

int main(int argc, char **argv)
{
    struct lprof_settings settings = {.report = {.limit = LIMIT_DEFAULT}};
    struct arguments arguments;
    struct failure failure = {0};
    int exit_code = EXIT_SUCCESS;
    switch (options_parse(&program, argc, argv, &settings, &arguments, &failure)) {
    case OPTIONS_SHOWN:
        break;
    case OPTIONS_WRONG:
        return fail(&failure, EXIT_USAGE);
    default:
        exit_code = run(&settings, &arguments);
        break;
    }
    if (output_finish(stdout, &failure) && exit_code == EXIT_SUCCESS)
        return fail(&failure, EXIT_FAILURE);
    return exit_code;
}
