/* lprofd: options, then sessions, then serving until stopped. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/output.h"
#include "cli/report_text.h"
#include "cli/session_report.h"
#include "cli/settings.h"
#include "cli/token.h"
#include "http/server.h"

#define LARGE_BLOCK_BYTES (1 << 20)
#define SYMBOLS_TIMEOUT_NS (60 * NS_PER_SECOND)
#define SIGNAL_POLL_NS (100 * NS_PER_MS)
#define ENDING_MAX_SECONDS 10
#define ATTACH_POLL_NS (20 * NS_PER_MS)

struct daemon {
    struct session_registry *registry;
    struct http_server *server;
    struct session
        *launched; /* a reference to the session of the command that we started; or NULL */
    struct session *to_save; /* a reference to the session that is still to be saved; or NULL */
    bool failed;             /* to do all that it was started for */
    sigset_t signals;        /* that end lprofd; blocked in every thread */
    int signal;              /* which came while it attached; or 0 */
};

static int report_failure(const struct failure *failure, int exit_code)
{
    report_text_failure("lprofd", failure, stderr);
    return exit_code;
}

/* Two perf events per CPU and an open file per module add up. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/*
 * What a large answer took goes back to the system when it is sent. Left alone, glibc learns from
 * the first large block to keep as much in each thread's heap, and a daemon never shrinks.
 */
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES);
}

/* Signals are waited for instead of handled; must come before the first thread is started. */
static void block_signals(struct daemon *daemon)
{
    sigemptyset(&daemon->signals);
    sigaddset(&daemon->signals, SIGINT);
    sigaddset(&daemon->signals, SIGTERM);
    sigaddset(&daemon->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &daemon->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to report */
}

static int start_server(struct daemon *daemon, const struct settings *settings,
                        struct failure *failure)
{
    _cleanup_free_ char *token = NULL;
    if (settings->token_file && token_read(settings->token_file, &token, failure))
        return -EINVAL;
    struct http_options options = {
        .listen = settings->listen,
        .listen_count = settings->listen_count,
        .token = token,
        .registry = daemon->registry,
        .session_defaults = settings->session,
    };
    options.session_defaults.command = NULL;
    return http_server_start(&options, &daemon->server, failure);
}

/* Takes over the reference. */
static int register_session(struct daemon *daemon, struct session *session, struct failure *failure)
{
    uint32_t id = 0;
    int error = session_registry_add(daemon->registry, session, &id);
    session_unref(session);
    return error ? failure_set(failure, error, "out of memory") : 0;
}

static int load_sessions(struct daemon *daemon, const struct settings *settings,
                         struct failure *failure)
{
    int error = 0;
    for (size_t i = 0; i < settings->file_count && !error; i++) {
        struct session *session = NULL;
        error = session_load(settings->files[i], &settings->session, &session, failure);
        if (!error)
            error = register_session(daemon, session, failure);
    }
    return error;
}

/* Waits for a signal, at most `timeout_ns`, which is below a second. Returns it, or 0. */
static int poll_signal(const struct daemon *daemon, uint64_t timeout_ns)
{
    struct timespec timeout = {.tv_nsec = (long)timeout_ns};
    int number = sigtimedwait(&daemon->signals, NULL, &timeout);
    return number > 0 ? number : 0;
}

/* A signal ends the waiting, with -ECANCELED: whoever drops the session then gives it up. */
static int wait_until_attached(struct daemon *daemon, struct session *session,
                               struct failure *failure)
{
    int error;
    while ((error = session_wait_attached(session, ATTACH_POLL_NS, failure)) == -EINPROGRESS) {
        daemon->signal = poll_signal(daemon, 0);
        if (daemon->signal)
            return failure_set(failure, -ECANCELED, "ended before all was attached");
    }
    return error;
}

static int start_session(struct daemon *daemon, const struct settings *settings,
                         const struct session_options *options, struct failure *failure)
{
    struct session *session = NULL;
    int error = settings->output ? session_save_check(settings->output, failure) : 0;
    if (!error)
        error = session_start(options, &session, failure);
    if (!error && options->command)
        daemon->launched = session_ref(session);
    if (!error)
        error = wait_until_attached(daemon, session, failure);
    if (error) {
        session_unref(session);
        return error;
    }
    if (settings->output)
        daemon->to_save = session_ref(session);
    return register_session(daemon, session, failure);
}

static int start_sessions(struct daemon *daemon, const struct settings *settings,
                          struct failure *failure)
{
    struct session_options options = settings->session;
    if (options.command)
        return start_session(daemon, settings, &options, failure);
    int error = 0;
    for (size_t i = 0; i < settings->pid_count && !error; i++) {
        options.pid = settings->pids[i];
        error = start_session(daemon, settings, &options, failure);
    }
    return error;
}

static bool all_ended(const struct daemon *daemon)
{
    bool ended = true;
    uint32_t ids[SETTINGS_PIDS_MAX];
    size_t count = session_registry_list(daemon->registry, ids, SETTINGS_PIDS_MAX);
    for (size_t i = 0; i < count && ended; i++) {
        struct session *session = session_registry_get(daemon->registry, ids[i]);
        ended = !session || session_wait(session, 0);
        session_unref(session);
    }
    return ended;
}

/* The command that we started while it runs; 0 when there is none. */
static pid_t running_command(const struct daemon *daemon)
{
    struct session_info info;
    pid_t pid = 0;
    if (daemon->launched && session_info(daemon->launched, &info) == 0) {
        siginfo_t child = {0};
        if (waitid(P_PID, (id_t)info.pid, &child, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            child.si_pid == 0)
            pid = info.pid;
        session_info_free(&info);
    }
    return pid;
}

/*
 * The command that we started is not left behind: whoever ends lprofd ends it too. A terminal sends
 * its SIGINT to both.
 */
static void end_command(const struct daemon *daemon, int number)
{
    pid_t pid = number == SIGINT ? 0 : running_command(daemon);
    if (pid > 0)
        kill(pid, SIGTERM);
}

static int print_reports(const struct daemon *daemon)
{
    int error = 0;
    uint32_t ids[SETTINGS_PIDS_MAX];
    size_t count = session_registry_list(daemon->registry, ids, SETTINGS_PIDS_MAX);
    for (size_t i = 0; i < count && !error; i++) {
        struct session *session = session_registry_get(daemon->registry, ids[i]);
        if (!session)
            continue;
        session_detach(session);
        session_wait_symbols(session, SYMBOLS_TIMEOUT_NS);
        error = session_report_print(session, stdout);
        session_unref(session);
    }
    return error;
}

/* Lines are still being looked up when a session ends. A signal ends the waiting: it is returned.
 */
static int wait_for_symbols(const struct daemon *daemon, struct session *session)
{
    uint64_t until_ns = clock_monotonic_ns() + SYMBOLS_TIMEOUT_NS;
    int number = 0;
    while (!number && !session_wait_symbols(session, 0) && clock_monotonic_ns() < until_ns)
        number = poll_signal(daemon, SIGNAL_POLL_NS);
    return number;
}

/* Saves what is to be saved, once. Returns a signal that came meanwhile, or 0. */
static int save(struct daemon *daemon, const struct settings *settings)
{
    struct session *session = take_pointer(daemon->to_save);
    struct failure failure = {0};
    if (!session)
        return 0;
    int number = wait_for_symbols(daemon, session);
    if (session_save(session, settings->output, !settings->no_source_text, &failure)) {
        report_failure(&failure, EXIT_FAILURE);
        daemon->failed = true;
    }
    session_unref(session);
    return number;
}

static int serve(struct daemon *daemon, const struct settings *settings)
{
    if (daemon->server && !daemon->signal) {
        printf("%s\n", http_server_url(daemon->server));
        fflush(stdout);
    }
    int number = daemon->signal;
    while (!number && (daemon->server || !all_ended(daemon))) {
        number = poll_signal(daemon, SIGNAL_POLL_NS);
        if (!number && daemon->to_save && session_wait(daemon->to_save, 0))
            number = save(daemon, settings);
    }
    if (daemon->to_save)
        session_detach(daemon->to_save);
    save(daemon, settings);
    if (settings->no_http && print_reports(daemon)) {
        fprintf(stderr, "lprofd: the report could not be made: out of memory\n");
        return EXIT_FAILURE;
    }
    struct failure failure = {0};
    int exit_code = output_finish(stdout, &failure) ? report_failure(&failure, EXIT_FAILURE)
                    : daemon->failed                ? EXIT_FAILURE
                                                    : EXIT_SUCCESS;
    while (!number && running_command(daemon))
        number = poll_signal(daemon, SIGNAL_POLL_NS);
    end_command(daemon, number);
    return exit_code;
}

static int run(struct daemon *daemon, const struct settings *settings)
{
    struct failure failure = {0};
    give_memory_back();
    raise_file_limit();
    block_signals(daemon);
    if (session_registry_new(&daemon->registry))
        return EXIT_FAILURE;
    if (!settings->no_http) {
        int error = start_server(daemon, settings, &failure);
        if (error)
            return report_failure(&failure, error == -EINVAL || error == -EPERM
                                                ? EXIT_BAD_CONFIGURATION
                                                : failure_exit_code(&failure));
    }
    int error = load_sessions(daemon, settings, &failure);
    if (!error)
        error = start_sessions(daemon, settings, &failure);
    if (error && !daemon->signal)
        return report_failure(&failure, failure_exit_code(&failure));
    /* A server that is stopped has not failed, but what was to bring a result has. */
    daemon->failed = error && (settings->no_http || settings->output);
    if (daemon->failed)
        report_failure(&failure, EXIT_FAILURE);
    return serve(daemon, settings);
}

static volatile sig_atomic_t last_exit_code;

static void end_now(int number)
{
    (void)number;
    _exit(last_exit_code);
}

/* A thread that a file system does not answer cannot be waited for; all is saved by now. */
static void limit_ending(int exit_code)
{
    last_exit_code = exit_code;
    signal(SIGALRM, end_now);
    alarm(ENDING_MAX_SECONDS);
}

/* What is opened later is not to become the standard input or output. */
static void open_standard_files(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    open_standard_files();
    struct settings settings;
    struct failure failure = {0};
    struct daemon daemon = {0};
    int exit_code = EXIT_SUCCESS;
    switch (settings_parse(argc, argv, &settings, &failure)) {
    case OPTIONS_SHOWN:
        if (output_finish(stdout, &failure))
            exit_code = report_failure(&failure, EXIT_FAILURE);
        break;
    case OPTIONS_WRONG:
        exit_code = report_failure(&failure, 2);
        break;
    case OPTIONS_RUN:
        exit_code = run(&daemon, &settings);
        limit_ending(exit_code);
        http_server_stop(daemon.server);
        session_unref(daemon.to_save);
        session_unref(daemon.launched);
        session_registry_free(daemon.registry);
        alarm(0);
        break;
    }
    settings_free(&settings);
    return exit_code;
}
