/* Gives an object the debug file that a debuginfod server had for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbol/object.h"

static void free_reader(struct elf_reader **file)
{
    elf_reader_free(*file);
}

/* Takes over the descriptor. -ESTALE when the file's build-id is another one. */
static int open_verified(int fd_to_take, const unsigned char *build_id, size_t build_id_bytes,
                         struct elf_reader **ret_file)
{
    _cleanup_close_ int fd = fd_to_take;
    _cleanup_(free_reader) struct elf_reader *file = NULL;
    int error = elf_reader_open(fd, &file);
    if (error)
        return error;
    file->owns_fd = true;
    take_fd(&fd);
    if (build_id_bytes == 0 || build_id_bytes != file->build_id_bytes ||
        memcmp(build_id, file->build_id, build_id_bytes) != 0)
        return -ESTALE;
    *ret_file = take_pointer(file);
    return 0;
}

/* Takes over the descriptor. What is not the file that `debug` refers to is left out. */
static int open_alternate(int fd, const struct elf_reader *debug, struct elf_reader **ret_file)
{
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes = 0;
    _cleanup_free_ char *path = NULL;
    if (fd < 0)
        return 0;
    if (elf_reader_alternate_link(debug, &path, build_id, &build_id_bytes))
        build_id_bytes = 0;
    int error = open_verified(fd, build_id, build_id_bytes, ret_file);
    return error == -ENOMEM ? error : 0;
}

/* All that was known from the files so far. */
static void forget(struct object *object)
{
    object_forget_lines(object);
    stored_module_free(object->stored);
    object->stored = NULL;
    free(object->units);
    object->units = NULL;
    unit_index_free(&object->index);
    object->indexed = object->is_damaged = false;
    elf_symbols_free(&object->symbols);
    go_lines_free(object->go);
    object->go = NULL;
    elf_reader_free(object->debug);
    elf_reader_free(object->alternate);
    object_set_alternate_problem(object, NULL);
    free(object->debug_path);
    object->debug_path = NULL;
}

int object_add_debug(struct object *object, int fd, int alternate_fd)
{
    _cleanup_close_ int unused_fd = alternate_fd;
    _cleanup_(free_reader) struct elf_reader *debug = NULL, *alternate = NULL;
    if (!object->binary) {
        close(fd);
        return -EBADF;
    }
    int error = open_verified(fd, object->binary->build_id, object->binary->build_id_bytes, &debug);
    if (error)
        return error;
    if (!debug_image_possible(debug))
        return -ENODATA;
    error = open_alternate(take_fd(&unused_fd), debug, &alternate);
    if (error)
        return error;
    struct elf_symbols symbols;
    error = elf_symbols_read(object->binary, debug, &symbols);
    if (error)
        return error;
    forget(object);
    object->symbols = symbols;
    object->debug = take_pointer(debug);
    object->alternate = take_pointer(alternate);
    object->status = SYMBOL_LINE;
    return 0;
}
