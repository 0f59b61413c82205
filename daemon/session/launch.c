/* Starting a command that waits for its go. */
#include "session/launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lprofd/architecture.h"

static bool is_executable_file(const char *path)
{
    struct stat stat_buffer;
    return stat(path, &stat_buffer) == 0 && S_ISREG(stat_buffer.st_mode) && access(path, X_OK) == 0;
}

/* Where execvp(3) will find the command: checked before, so that a mistake is told at once. */
static int find_command(const char *name, char ret_path[PATH_MAX])
{
    if (strchr(name, '/')) {
        snprintf(ret_path, PATH_MAX, "%s", name);
        return is_executable_file(name) ? 0 : access(name, F_OK) == 0 ? -EACCES : -ENOENT;
    }
    const char *search = getenv("PATH");
    _cleanup_free_ char *copy = strdup(search ? search : "/usr/bin:/bin");
    char *rest = copy, *directory;
    while (rest && (directory = strsep(&rest, ":"))) {
        int length = snprintf(ret_path, PATH_MAX, "%s/%s", *directory ? directory : ".", name);
        if (length > 0 && length < PATH_MAX && is_executable_file(ret_path))
            return 0;
    }
    return -ENOENT;
}

/* A program that cannot be profiled, or that execvp(3) would take for a shell script. */
static int check_program(const char *command, const char *path, struct failure *ret_failure)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr header;
    if (fd < 0 || read(fd, &header, sizeof header) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return 0;
    if (header.e_ident[EI_CLASS] == ELFCLASS32)
        return failure_set(ret_failure, -ENOTSUP,
                           "command %s is a 32-bit program: lprofd profiles 64-bit programs; "
                           "build it for 64 bits",
                           command);
    if (header.e_machine == architecture_own.elf_machine)
        return 0;
    const struct architecture *architecture = architecture_of_machine(header.e_machine);
    return failure_set(ret_failure, -ENOEXEC,
                       "command %s is a program for %s and this machine is %s: build it for %s",
                       command, architecture ? architecture->name : "another machine",
                       architecture_own.name, architecture_own.name);
}

/* In the child: waits for the end of the pipe, then becomes the command. */
static _Noreturn void run_command(char *const *command, int wait_fd)
{
    char byte;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
        ;
    execvp(command[0], command);
    fprintf(stderr, "lprofd: %s cannot be executed: %s\n", command[0], strerror(errno));
    _exit(126);
}

int launch_command(char *const *command, pid_t *ret_pid, int *ret_go_fd,
                   struct failure *ret_failure)
{
    char path[PATH_MAX];
    int error = find_command(command[0], path);
    if (error)
        return failure_set(ret_failure, error, "command %s %s: check the name and the PATH",
                           command[0], error == -ENOENT ? "was not found" : "may not be executed");
    error = check_program(command[0], path, ret_failure);
    if (error)
        return error;
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

/* Waiting in waitpid(2) meanwhile would take the stops of a session that traces the command. */
static void *wait_and_reap(void *user)
{
    pid_t pid = (pid_t)(intptr_t)user;
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    while (fd >= 0 && poll(&end, 1, -1) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        waitpid(pid, NULL, 0);
    return NULL;
}

void launch_reap(pid_t pid)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_and_reap, (void *)(intptr_t)pid) == 0)
        pthread_detach(thread);
}
