/* lprof doctor: looks at the machine, the process, and tries each backend. */
#include "cli/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cli/doctor_finding.h"

/* A child to try the backends on when no process was named. */
static pid_t start_child(void)
{
    fflush(NULL); /* or the child would print it again */
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Opens and closes the backend on the process. */
static int try_backend(const struct capture_ops *backend, pid_t pid, FILE *out)
{
    const struct capture_options options = {
        .pid = pid,
        .frequency_hz = 997,
        .stack_bytes = 16384,
        .event = "auto",
    };
    struct failure failure = {0};
    struct capture *capture = NULL;
    char subject[64];
    snprintf(subject, sizeof subject, "backend %s", backend->name);
    int error = backend->open(&options, &capture, &failure);
    if (error) {
        finding_print(out, FINDING_NO, subject, "%s", failure.text);
        return error;
    }
    finding_print(out, FINDING_OK, subject, "works, by %s", capture->event);
    backend->close(capture);
    return 0;
}

/* In the order in which lprofd chooses. The first that works is the one; else the exit code. */
static int try_backends(pid_t pid, FILE *out)
{
    const struct capture_choice *chosen = NULL;
    const char *reason = "";
    bool only_permission = true;
    int before = 0;
    for (size_t i = 0; i < CAPTURE_CHOICES; i++) {
        int error = try_backend(capture_choices[i].ops, pid, out);
        if (!error && !chosen) {
            chosen = &capture_choices[i];
            reason = capture_reason(chosen, before);
        }
        before = error;
        only_permission &= error == -EPERM || error == -EACCES;
    }
    if (chosen) {
        fprintf(out, "\nlprofd would use %s here (%s).\n", chosen->ops->name, reason);
        return EXIT_SUCCESS;
    }
    fprintf(out, "\nlprofd cannot profile here%s.\n",
            only_permission ? ": only permission is missing" : "");
    return only_permission ? EXIT_NOT_PERMITTED : EXIT_FAILURE;
}

int doctor_run(pid_t pid, FILE *out)
{
    doctor_machine(out);
    if (pid > 0) {
        fputc('\n', out);
        if (doctor_process(pid, out) == 0)
            return try_backends(pid, out);
        fprintf(out, "\nlprofd cannot profile process %d.\n", pid);
        return EXIT_FAILURE;
    }
    pid_t child = start_child();
    if (child < 0) {
        finding_print(out, FINDING_NO, "backends", "cannot be tried: no process can be started");
        return EXIT_FAILURE;
    }
    int code = try_backends(child, out);
    end_child(child);
    return code;
}
