/* Whole small files of /proc/PID as text. */
#include "process/proc_text.h"

#include <errno.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/negative_errno.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)

int proc_read_text(pid_t pid, pid_t tid, enum proc_file file, char **ret_text, size_t *ret_length)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, tid, file, &fd);
    if (error)
        return error;

    _cleanup_free_ char *text = NULL;
    size_t length = 0, capacity = 0;
    for (;;) {
        if (length > TEXT_BYTES_MAX)
            return -EFBIG;
        if (array_reserve(&text, &capacity, length + 4096, 1))
            return -ENOMEM;
        ssize_t got = read(fd, text + length, capacity - length - 1);
        if (got < 0 && errno != EINTR)
            return negative_errno();
        if (got == 0)
            break;
        if (got > 0)
            length += (size_t)got;
    }
    text[length] = '\0';
    if (ret_length)
        *ret_length = length;
    *ret_text = take_pointer(text);
    return 0;
}

int proc_read_stat(pid_t pid, pid_t tid, struct proc_stat *ret_stat)
{
    _cleanup_free_ char *text = NULL;
    int error = proc_read_text(pid, tid, PROC_STAT, &text, NULL);
    return error ? error : proc_stat_parse(text, ret_stat);
}

bool proc_has_ended(pid_t pid, const struct proc_stat *stat)
{
    return (stat->state == 'Z' || stat->state == 'X') && privilege_check_living(pid) == -ESRCH;
}
