/* Prints the doctor's table. */
#include "cli/doctor_finding.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/report_text.h"

#define SUBJECT_WIDTH 22

static const char *const finding_names[] = {
    [FINDING_OK] = "ok",
    [FINDING_NO] = "NO",
    [FINDING_NOTE] = "-",
};

/* What a finding says may quote the target, whose path can hold any bytes: one clean line. */
__attribute__((format(printf, 2, 0))) static void print_clean(FILE *out, const char *format,
                                                              va_list arguments)
{
    _cleanup_free_ char *raw = NULL;
    _cleanup_text_ struct text line = {0};
    if (vasprintf(&raw, format, arguments) < 0) {
        raw = NULL;
        return;
    }
    report_text_clean(&line, raw);
    fprintf(out, "%s\n", line.bytes ? line.bytes : "");
}

void finding_print(FILE *out, enum finding finding, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(out, "%-3s %-*s ", finding_names[finding], SUBJECT_WIDTH, subject);
    print_clean(out, format, arguments);
    va_end(arguments);
}

void finding_remedy(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(out, "%-3s %-*s -> ", "", SUBJECT_WIDTH, "");
    print_clean(out, format, arguments);
    va_end(arguments);
}

/* lprofd beside the program that runs now, else where `make install` puts it. */
static void find_lprofd(char *ret_path, size_t bytes)
{
    char path[4000];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length > 0) {
        path[length] = '\0';
        *strrchr(path, '/') = '\0';
        snprintf(ret_path, bytes, "%s/lprofd", path);
        if (access(ret_path, X_OK) == 0)
            return;
    }
    snprintf(ret_path, bytes, "/usr/local/bin/lprofd");
}

void finding_remedy_permission(FILE *out)
{
    if (geteuid() == 0) {
        finding_remedy(out, "root is restricted here, as in a container: start that with "
                            "--cap-add PERFMON --cap-add BPF --cap-add SYS_PTRACE "
                            "--security-opt seccomp=unconfined");
        return;
    }
    char lprofd[4096];
    find_lprofd(lprofd, sizeof lprofd);
    finding_remedy(out,
                   "run lprofd as root, or once, as root: "
                   "setcap cap_perfmon,cap_bpf,cap_sys_ptrace+ep %s",
                   lprofd);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        finding_remedy(out, "in another shell: no_new_privs is set here, so sudo and file "
                            "capabilities have no effect");
}

bool read_sysctl(const char *name, long *ret_value)
{
    char path[256];
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    _cleanup_file_ FILE *file = fopen(path, "re");
    return file && fscanf(file, "%ld", ret_value) == 1;
}

bool has_capability(unsigned number)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0)
        return false;
    return sets[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number);
}
