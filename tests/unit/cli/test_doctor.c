/* The doctor says what works, and gives the exit code that goes with it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/failure.h"
#include "capture/ptrace_refusal.h"
#include "cli/doctor.h"
#include "cli/doctor_finding.h"

/* Runs the doctor and keeps what it printed; the caller frees it. */
static char *ask(pid_t pid, int *ret_code)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    *ret_code = doctor_run(pid, out);
    fclose(out);
    return text;
}

/* The same as a plain user: in a child, through a pipe. */
static char *ask_as_nobody(pid_t pid, int *ret_code)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        FILE *out = fdopen(ends[1], "w");
        if (!out || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
            _exit(99);
        int code = doctor_run(pid, out);
        fclose(out);
        _exit(code);
    }
    close(ends[1]);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    size_t length = 0;
    for (ssize_t got; length < 65535; length += (size_t)got)
        if ((got = read(ends[0], text + length, 65535 - length)) <= 0)
            break;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    *ret_code = WEXITSTATUS(status);
    return text;
}

static pid_t start_pausing(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void skip_without_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
}

static void assert_has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("\"%s\" is not in:\n%s", wanted, text);
}

static void every_line_has_a_verdict_and_is_aligned(void **state)
{
    (void)state;
    int code;
    char *text = ask(0, &code);
    unsigned lines = 0;
    for (char *line = strtok(text, "\n"); line && *line && strncmp(line, "lprofd ", 7) != 0;
         line = strtok(NULL, "\n"), lines++) {
        assert_true(!strncmp(line, "ok  ", 4) || !strncmp(line, "NO  ", 4) ||
                    !strncmp(line, "-   ", 4) || !strncmp(line, "    ", 4));
        assert_true(strlen(line) > 27);
        assert_int_equal(line[26], ' ');
        assert_int_not_equal(line[27], ' ');
    }
    assert_true(lines >= 12);
    free(text);
}

static void root_finds_a_backend_and_leaves_no_trace(void **state)
{
    (void)state;
    skip_without_root();
    pid_t pid = start_pausing();
    int code = -1;
    char *text = ask(pid, &code);
    assert_int_equal(code, EXIT_SUCCESS);
    assert_has(text, "ok  CAP_PERFMON");
    assert_has(text, "ok  process");
    assert_has(text, "ok  user                   0: you may profile it");
    assert_has(text, "lprofd would use ");
    free(text);
    assert_int_equal(ptrace_tracer_of(pid, 0), 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid);
}

static void another_users_process_is_a_matter_of_permission(void **state)
{
    (void)state;
    skip_without_root();
    pid_t pid = start_pausing();
    int code = -1;
    char *text = ask_as_nobody(pid, &code);
    assert_int_equal(code, EXIT_NOT_PERMITTED);
    assert_has(text, "setcap cap_perfmon,cap_bpf,cap_sys_ptrace+ep /");
    assert_has(text, "belongs to user 0");
    assert_has(text, "only permission is missing");
    free(text);
    end(pid);
}

static void what_cannot_be_profiled_at_all_is_a_failure(void **state)
{
    (void)state;
    int code = -1;
    char *text = ask(0x7ffffff0, &code);
    assert_int_equal(code, EXIT_FAILURE);
    assert_has(text, "NO  process                no process 2147483632");
    free(text);

    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    text = ask(zombie, &code);
    assert_int_equal(code, EXIT_FAILURE);
    assert_has(text, "zombie");
    free(text);
    end(zombie);
}

/* A copy of a program of Debian, which is stripped: no package owns the copy. */
static bool executes(pid_t pid, const char *path)
{
    char link[64], executable[256] = "";
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    return readlink(link, executable, sizeof executable - 1) > 0 && strcmp(executable, path) == 0;
}

static void a_stripped_program_is_told_how_to_be_built(void **state)
{
    (void)state;
    char path[] = "/tmp/lprofd-doctor-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    char command[128];
    snprintf(command, sizeof command, "cp /bin/sleep %s && chmod 755 %s", path, path);
    assert_int_equal(system(command), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(path, path, "1000", (char *)NULL);
        _exit(127);
    }
    while (!executes(pid, path))
        usleep(1000);
    int code = -1;
    char *text = ask(pid, &code);
    assert_has(text, "NO  debug information");
    assert_has(text, "-> build it with -g");
    free(text);
    end(pid);
    unlink(path);
}

static void a_file_leads_to_its_package(void **state)
{
    (void)state;
    assert_null(package_of_file("/nowhere/at/all"));
    assert_null(package_of_file("/usr/bin/slee")); /* part of a line is not enough */
    if (access("/var/lib/dpkg/info/coreutils.list", R_OK) != 0) {
        print_message("skipped: no dpkg here\n");
        skip();
    }
    char *package = package_of_file("/usr/bin/sleep"); /* listed as /bin/sleep */
    assert_non_null(package);
    assert_string_equal(package, "coreutils");
    free(package);
}

static void a_hostile_path_stays_one_harmless_line(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    finding_print(out, FINDING_OK, "executable", "%s",
                  "/tmp/a\x1b]0;b\a\x9b"
                  "31m\nok  c\xff");
    finding_remedy(out, "%s", "d\re\x1b[2Jf");
    fclose(out);
    size_t lines = 0;
    for (const char *cursor = text; *cursor; cursor++) {
        lines += *cursor == '\n';
        assert_true(*cursor == '\n' || (unsigned char)*cursor >= ' ');
        assert_true(*cursor != 0x7f);
    }
    assert_int_equal(lines, 2);
    assert_non_null(strstr(text, "/tmp/a"));
    assert_null(strstr(text, "\xc2\x9b")); /* C1 controls are escape sequences too */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_path_stays_one_harmless_line),
        cmocka_unit_test(every_line_has_a_verdict_and_is_aligned),
        cmocka_unit_test(root_finds_a_backend_and_leaves_no_trace),
        cmocka_unit_test(another_users_process_is_a_matter_of_permission),
        cmocka_unit_test(what_cannot_be_profiled_at_all_is_a_failure),
        cmocka_unit_test(a_stripped_program_is_told_how_to_be_built),
        cmocka_unit_test(a_file_leads_to_its_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
