/* Reads the target's memory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "privilege/living.h"

#define PIECES_MAX 64

/*
 * process_vm_readv(2) may stop early only between pieces, so each piece ends at a page boundary:
 * what is mapped is read up to the end of the mapping.
 */
static size_t split_into_pages(uint64_t address, size_t length, struct iovec *pieces, size_t *used)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t total = 0;
    *used = 0;
    while (total < length && *used < PIECES_MAX) {
        size_t piece = page - ((address + total) & (page - 1));
        if (piece > length - total)
            piece = length - total;
        pieces[(*used)++] = (struct iovec){(void *)(uintptr_t)(address + total), piece};
        total += piece;
    }
    return total;
}

/*
 * Where process_vm_readv is refused by seccomp, the file may still be allowed. And that call knows
 * no memory of a main thread that has ended.
 */
static ssize_t read_mem_file(pid_t pid, uint64_t address, void *bytes, size_t length)
{
    _cleanup_close_ int fd = -1;
    int error = living_open(pid, "mem", O_RDONLY, &fd);
    if (error)
        return error;
    ssize_t got = pread(fd, bytes, length, (off_t)address);
    return got < 0 ? -errno : got;
}

static ssize_t read_once(pid_t pid, uint64_t address, void *bytes, size_t length)
{
    struct iovec pieces[PIECES_MAX];
    size_t count;
    size_t wanted = split_into_pages(address, length, pieces, &count);
    struct iovec local = {.iov_base = bytes, .iov_len = wanted};
    ssize_t got = process_vm_readv(pid, &local, 1, pieces, count, 0);
    if (got >= 0)
        return got;
    if (errno == ENOSYS || errno == EPERM || errno == ESRCH)
        return read_mem_file(pid, address, bytes, wanted);
    return -errno;
}

int privilege_read_memory_part(pid_t pid, uint64_t address, void *ret_bytes, size_t length,
                               size_t *ret_length)
{
    if (address > UINT64_MAX - length)
        return -EFAULT;
    size_t total = 0;
    while (total < length) {
        ssize_t got = read_once(pid, address + total, (char *)ret_bytes + total, length - total);
        if (got < 0 && total == 0)
            return (int)got;
        if (got <= 0)
            break;
        total += (size_t)got;
    }
    *ret_length = total;
    return 0;
}

int privilege_read_memory(pid_t pid, uint64_t address, void *ret_bytes, size_t length)
{
    size_t got = 0;
    int error = privilege_read_memory_part(pid, address, ret_bytes, length, &got);
    if (error == -EFAULT)
        return -EIO;
    if (error)
        return error;
    return got == length ? 0 : -EIO;
}
