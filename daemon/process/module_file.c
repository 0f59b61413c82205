/* Opens the file that a mapping is of. */
#include "process/module_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/negative_errno.h"
#include "process/elf_file.h"

#define VDSO_BYTES_MAX (1 << 20)

/* The vdso has no file: its image is copied out of the target into memory of our own. */
static int open_vdso(const struct target *target, const struct record_mapping *mapping, int *ret_fd)
{
    if (mapping->length == 0 || mapping->length > VDSO_BYTES_MAX)
        return -EINVAL;
    _cleanup_free_ void *image = malloc(mapping->length);
    if (!image)
        return -ENOMEM;
    _cleanup_close_ int fd = memfd_create("vdso", MFD_CLOEXEC);
    if (fd < 0)
        return negative_errno();
    int error = privilege_read_memory(target->pid, mapping->start, image, (size_t)mapping->length);
    if (error)
        return error;
    if (write(fd, image, mapping->length) != (ssize_t)mapping->length)
        return -ENOSPC;
    *ret_fd = take_fd(&fd);
    return 0;
}

int module_file_open(const struct target *target, const struct record_mapping *mapping,
                     struct module *module)
{
    int error =
        module->kind == MODULE_VDSO
            ? open_vdso(target, mapping, &module->fd)
            : privilege_open_mapped(target, mapping->start, mapping->start + mapping->length,
                                    mapping->path, module->device, module->inode, &module->fd);
    if (!error)
        error = elf_file_read(module);
    if (error == -ENOMEM)
        return error;
    module->open_error = -error; /* a value that reaches the screen, not a failure */
    return 0;
}
