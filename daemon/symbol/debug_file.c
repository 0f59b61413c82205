/* Where debug files are: build-id directories, .gnu_debuglink, .gnu_debugaltlink. */
#include "symbol/debug_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "symbol/path.h"

#define DEBUG_ROOT "/usr/lib/debug"

/* What the file looked for must be: same build-id, or where there is none, same CRC. */
struct wanted {
    const struct target *target;
    const struct cancel *cancel;
    const unsigned char *build_id;
    size_t build_id_bytes;
    uint32_t crc;
    bool has_crc;
};

static bool same_build_id(const struct wanted *wanted, const struct elf_reader *file)
{
    return wanted->build_id_bytes && wanted->build_id_bytes == file->build_id_bytes &&
           memcmp(wanted->build_id, file->build_id, file->build_id_bytes) == 0;
}

static bool is_wanted(const struct wanted *wanted, const struct elf_reader *file)
{
    if (wanted->build_id_bytes && file->build_id_bytes)
        return same_build_id(wanted, file);
    uint32_t crc;
    return wanted->has_crc && elf_reader_crc(file, wanted->cancel, &crc) == 0 && crc == wanted->crc;
}

/* Takes over the descriptor. */
static int accept_fd(const struct wanted *wanted, int fd_to_take, struct elf_reader **ret_file)
{
    _cleanup_close_ int fd = fd_to_take;
    struct elf_reader *file;
    int error = elf_reader_open(fd, &file);
    if (error)
        return error == -ENOMEM ? error : -ENOENT;
    if (!is_wanted(wanted, file)) {
        elf_reader_free(file);
        return -ENOENT;
    }
    take_fd(&fd);
    file->owns_fd = true;
    *ret_file = file;
    return 0;
}

static int try_target(const struct wanted *wanted, const char *path, struct elf_reader **ret_file)
{
    int fd;
    if (!wanted->target || privilege_open_in_target(wanted->target, path, &fd))
        return -ENOENT;
    return accept_fd(wanted, fd, ret_file);
}

/* Our own root is only asked for what a build-id identifies beyond doubt. */
static int try_own(const struct wanted *wanted, const char *path, struct elf_reader **ret_file)
{
    int fd;
    if (!wanted->build_id_bytes || privilege_open_own(path, &fd))
        return -ENOENT;
    return accept_fd(wanted, fd, ret_file);
}

static int format_build_id_path(const unsigned char *id, size_t bytes, char **ret_path)
{
    _cleanup_text_ struct text text = {0};
    text_printf(&text, DEBUG_ROOT "/.build-id/%02x/", id[0]);
    for (size_t i = 1; i < bytes; i++)
        text_printf(&text, "%02x", id[i]);
    text_add_string(&text, ".debug");
    if (text.failed)
        return -ENOMEM;
    *ret_path = take_pointer(text.bytes);
    return 0;
}

static int find_by_build_id(const struct wanted *wanted, struct elf_reader **ret_file,
                            char **ret_path)
{
    if (wanted->build_id_bytes < 2)
        return -ENOENT;
    _cleanup_free_ char *path = NULL;
    int error = format_build_id_path(wanted->build_id, wanted->build_id_bytes, &path);
    if (error)
        return error;
    error = try_target(wanted, path, ret_file);
    if (error == -ENOENT)
        error = try_own(wanted, path, ret_file);
    if (!error)
        *ret_path = take_pointer(path);
    return error;
}

/* The usual three: beside the binary, in .debug there, and in the global directory. */
static int find_by_link(const struct wanted *wanted, const char *module_path, const char *name,
                        struct elf_reader **ret_file, char **ret_path)
{
    int directory = (int)path_directory_length(module_path);
    const char *const formats[] = {"%.*s/%s", "%.*s/.debug/%s", DEBUG_ROOT "%.*s/%s"};
    for (size_t i = 0; i < array_length(formats); i++) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, formats[i], directory, module_path, name) < 0) {
            path = NULL;
            return -ENOMEM;
        }
        if (strcmp(path, module_path) == 0)
            continue;
        int error = try_target(wanted, path, ret_file);
        if (error == -ENOENT && i == 2)
            error = try_own(wanted, path, ret_file);
        if (!error)
            *ret_path = take_pointer(path);
        if (error != -ENOENT)
            return error;
    }
    return -ENOENT;
}

int debug_file_find(const struct module *module, const struct elf_reader *binary,
                    const struct cancel *cancel, struct elf_reader **ret_file, char **ret_path)
{
    struct wanted wanted = {
        .target = module->target,
        .cancel = cancel,
        .build_id = binary->build_id,
        .build_id_bytes = binary->build_id_bytes,
    };
    int error = find_by_build_id(&wanted, ret_file, ret_path);
    if (error != -ENOENT || module->path[0] != '/')
        return error;
    _cleanup_free_ char *name = NULL;
    error = elf_reader_debuglink(binary, &name, &wanted.crc);
    if (error)
        return error;
    wanted.has_crc = true;
    return find_by_link(&wanted, module->path, name, ret_file, ret_path);
}

/* -ESTALE when there is one, and -ENOENT when there is none. */
static int find_alternate_at(const struct wanted *wanted, const char *path,
                             struct elf_reader **ret_file)
{
    _cleanup_close_ int fd = -1;
    int error = try_target(wanted, path, ret_file);
    if (error == -ENOENT && strncmp(path, DEBUG_ROOT "/", sizeof DEBUG_ROOT) == 0)
        error = try_own(wanted, path, ret_file);
    if (error != -ENOENT || !wanted->target)
        return error;
    return privilege_open_in_target(wanted->target, path, &fd) ? -ENOENT : -ESTALE;
}

int debug_file_find_alternate(const struct target *target, const struct elf_reader *file,
                              const char *path, struct elf_reader **ret_file, char **ret_named)
{
    _cleanup_free_ char *link = NULL, *directory = NULL, *alternate = NULL, *found = NULL;
    unsigned char build_id[BUILD_ID_MAX];
    struct wanted wanted = {.target = target, .build_id = build_id};
    int error = elf_reader_alternate_link(file, &link, build_id, &wanted.build_id_bytes);
    if (error)
        return error == -ENOENT ? -ENODATA : error;
    directory = strndup(path, path_directory_length(path));
    if (!directory)
        return -ENOMEM;
    error = path_join(directory, link, &alternate);
    if (!error)
        error = find_alternate_at(&wanted, alternate, ret_file);
    bool is_stale = error == -ESTALE;
    if (error && error != -ENOMEM)
        error = find_by_build_id(&wanted, ret_file, &found);
    *ret_named = alternate ? take_pointer(alternate) : take_pointer(link);
    return error == -ENOENT && is_stale ? -ESTALE : error;
}
