/* Reads /proc/PID/status: who a process is. */
#include "privilege/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lprofd/privilege.h"

/* 65,536 supplementary groups, the most there can be, need less. */
#define STATUS_BYTES_MAX ((size_t)1 << 20)

int status_read(pid_t pid, char **ret_text)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, 0, PROC_STATUS, &fd);
    if (error)
        return error;
    _cleanup_free_ char *text = NULL;
    size_t capacity = 0;
    size_t length = 0;
    for (;;) {
        error = array_reserve(&text, &capacity, length + 4096, 1);
        if (error)
            return error;
        ssize_t got = read(fd, text + length, capacity - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > STATUS_BYTES_MAX)
            return -E2BIG;
    }
    text[length] = '\0';
    *ret_text = take_pointer(text);
    return 0;
}

const char *status_field(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0)
            return line + length;
    }
    return NULL;
}

size_t status_numbers(const char *line, unsigned long *ret_numbers, size_t max)
{
    size_t count = 0;
    while (count < max) {
        line += strspn(line, " \t");
        if (*line < '0' || *line > '9')
            break;
        char *end;
        ret_numbers[count++] = strtoul(line, &end, 10);
        line = end;
    }
    return count;
}
