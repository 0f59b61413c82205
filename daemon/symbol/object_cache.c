/* Connects an object with what is kept of it on disk, for as long as its files stay the same. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "symbol/object.h"

static void add_hexadecimal(struct text *text, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_printf(text, "%02x", bytes[i]);
}

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

/* What another build of lprofd made of the same files may be what was wrong with it. */
static int add_self(struct text *text)
{
    _cleanup_close_ int fd = -1;
    struct stat status;
    int error = privilege_open_proc(getpid(), 0, PROC_EXE, &fd);
    if (error || fstat(fd, &status))
        return -ENOENT;
    text_printf(text, "lprofd " LPROFD_VERSION " %" PRIu64 " %" PRIu64 "\n",
                (uint64_t)status.st_size, nanoseconds(status.st_mtim));
    return 0;
}

/*
 * A build-id can be forged, and a time of last modification set; inode and time of last change
 * are the kernel's. The device is left out: its number is another one after each start, or mount.
 */
static int add_file(struct text *text, const char *what, const struct elf_reader *file)
{
    struct stat status;
    if (fstat(file->fd, &status))
        return -ENOENT;
    text_printf(text, "%s ", what);
    add_hexadecimal(text, file->build_id, file->build_id_bytes);
    text_printf(text, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                (uint64_t)status.st_size, (uint64_t)status.st_ino, nanoseconds(status.st_mtim),
                nanoseconds(status.st_ctim));
    return 0;
}

/* dwz's shared file is known by its build-id, which is compared when it is opened. */
static void add_alternate(struct text *text, const struct elf_reader *debug)
{
    _cleanup_free_ char *path = NULL;
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes;
    if (elf_reader_alternate_link(debug, &path, build_id, &build_id_bytes))
        return;
    text_add_string(text, "alternate ");
    add_hexadecimal(text, build_id, build_id_bytes);
    text_add_string(text, "\n");
}

/*
 * All that answers depend on: this program, whose program it is (one user's files prove nothing to
 * another user), and the files. 0, -ENOENT or -ENOMEM.
 */
static int identify(const struct object *object, bool has_alternate, char **ret_identity)
{
    _cleanup_text_ struct text text = {0};
    int error = add_self(&text);
    text_printf(&text, "user %u\n", privilege_target_user(object->module->target));
    if (!error)
        error = add_file(&text, "binary", object->binary);
    if (!error && object->debug)
        error = add_file(&text, "debug", object->debug);
    if (error)
        return error;
    if (has_alternate)
        add_alternate(&text, object_debug_reader(object));
    if (text.failed)
        return -ENOMEM;
    *ret_identity = take_pointer(text.bytes);
    return 0;
}

static int find_alternate(struct object *object, bool *ret_found)
{
    struct elf_reader *alternate = NULL;
    char *problem = NULL;
    int error = object->alternate ? 0 : object_find_alternate(object, &alternate, &problem);
    object_set_alternate_problem(object, problem);
    *ret_found = object->alternate || alternate;
    elf_reader_free(alternate);
    return error;
}

int object_use_cache(struct object *object, struct disk_cache *cache, uint64_t bytes_min)
{
    bool has_alternate;
    char *identity;
    if (object->stored || object->status != SYMBOL_LINE || !object->module->target)
        return 0;
    const struct elf_section *info = elf_reader_section(object_debug_reader(object), ".debug_info");
    if (!info || info->bytes < bytes_min)
        return 0;
    int error = find_alternate(object, &has_alternate);
    if (!error)
        error = identify(object, has_alternate, &identity);
    if (error)
        return error == -ENOMEM ? error : 0;
    return stored_module_new(cache, identity, &object->stored);
}

int object_resolve_stored(struct object *object, struct store *store, uint64_t vaddr,
                          uint32_t fallback, struct frame *ret_frames, size_t *ret_count)
{
    if (!object->stored || object->status != SYMBOL_LINE)
        return -ENOENT;
    return stored_module_resolve(object->stored, store, object->module->id, fallback, vaddr,
                                 ret_frames, ret_count);
}

bool object_has_to_store(const struct object *object)
{
    return object->stored && object->image && stored_module_has_work(object->stored);
}

/* Files that were changed since they were opened: what is known of them is of neither state. */
static bool is_unchanged(const struct object *object)
{
    _cleanup_free_ char *identity = NULL;
    return identify(object, object->image->alternate, &identity) == 0 &&
           strcmp(identity, object->stored->identity) == 0;
}

void object_store_some(struct object *object)
{
    if (!is_unchanged(object)) {
        stored_module_free(object->stored);
        object->stored = NULL;
        return;
    }
    const struct unit_source source = object_unit_source(object);
    stored_module_work(object->stored, &source, &object->index);
}
