/* Starting a command that waits for its go. */
#include "session/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_executable_file(const char *path)
{
    struct stat stat_buffer;
    return stat(path, &stat_buffer) == 0 && S_ISREG(stat_buffer.st_mode) && access(path, X_OK) == 0;
}

/* Where execvp(3) will find the command: checked before, so that a mistake is told at once. */
static int find_command(const char *name)
{
    if (strchr(name, '/'))
        return is_executable_file(name) ? 0 : access(name, F_OK) == 0 ? -EACCES : -ENOENT;
    const char *search = getenv("PATH");
    _cleanup_free_ char *copy = strdup(search ? search : "/usr/bin:/bin");
    char *rest = copy, *directory;
    while (rest && (directory = strsep(&rest, ":"))) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", *directory ? directory : ".", name);
        if (length > 0 && (size_t)length < sizeof path && is_executable_file(path))
            return 0;
    }
    return -ENOENT;
}

/* In the child: waits for the end of the pipe, then becomes the command. */
static _Noreturn void run_command(char *const *command, int wait_fd)
{
    char byte;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
        ;
    execvp(command[0], command);
    fprintf(stderr, "lprofd: %s cannot be executed: %s\n", command[0], strerror(errno));
    _exit(126);
}

int launch_command(char *const *command, pid_t *ret_pid, int *ret_go_fd,
                   struct failure *ret_failure)
{
    int error = find_command(command[0]);
    if (error)
        return failure_set(ret_failure, error, "command %s %s: check the name and the PATH",
                           command[0], error == -ENOENT ? "was not found" : "may not be executed");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return failure_set(ret_failure, -errno, "no pipe for %s: %s", command[0], strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        run_command(command, ends[0]);
    }
    error = pid < 0 ? -errno : 0;
    close(ends[0]);
    if (error) {
        close(ends[1]);
        return failure_set(ret_failure, error, "command %s cannot be started: %s", command[0],
                           strerror(-error));
    }
    *ret_pid = pid;
    *ret_go_fd = ends[1];
    return 0;
}
