/* measure FILE COMMAND [ARG ...]: runs COMMAND and writes what it took to FILE, as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    double wall = now() - start;
    FILE *file = fopen(argv[1], "w");
    if (!file)
        return 1;
    fprintf(file, "{\"wall_s\":%.6f,\"cpu_s\":%.6f,\"max_rss_bytes\":%ld}\n", wall,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss * 1024L);
    fclose(file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
