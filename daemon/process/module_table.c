/* The modules of a session. */
#include "process/module_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/stable.h"
#include "process/module_file.h"
#include "process/rights.h"

#define MODULES_MAX 65536
/* Children whose anonymous code has a module of its own: each holds descriptors open. */
#define CHILDREN_MAX 256
/* How often anonymous code may get a new module, and how much longer after each time. */
#define RENEWALS_MAX 256
#define RENEWAL_NS (250 * NS_PER_MS)

struct module_table {
    const struct target *target;  /* borrowed */
    struct stable_vector modules; /* struct module *, owned */
    const struct module *kernel, *anonymous;
    const struct module
        *nameless; /* anonymous code of too many children; NULL while there is none */
    struct target *children[CHILDREN_MAX]; /* owned; their anonymous code has modules */
    size_t child_count;
    struct rights rights; /* of modules */
    uint64_t generations;
    uint64_t renewals, renewed_ns; /* how often, and when last, anonymous code got a new module */
};

static void module_free(struct module *module)
{
    if (!module)
        return;
    if (module->fd >= 0)
        close(module->fd);
    free(module->path);
    free(module->segments);
    free(module);
}

static void cleanup_module(struct module **module)
{
    module_free(*module);
}

static int new_module(enum module_kind kind, const char *path, struct module **ret_module)
{
    struct module *module = calloc(1, sizeof *module);
    if (!module)
        return -ENOMEM;
    module->kind = kind;
    module->fd = -1;
    module->path = strdup(path);
    if (!module->path) {
        free(module);
        return -ENOMEM;
    }
    *ret_module = module;
    return 0;
}

static int publish(struct module_table *table, struct module *module,
                   const struct module **ret_module)
{
    module->id = stable_count(&table->modules);
    int error = stable_append(&table->modules, &module, sizeof module);
    if (error)
        return error;
    *ret_module = module;
    return 0;
}

/* Adds a module that has no file. */
static int add_plain(struct module_table *table, enum module_kind kind, const char *path,
                     const struct target *target, const struct module **ret_module)
{
    _cleanup_(cleanup_module) struct module *module = NULL;
    int error = new_module(kind, path, &module);
    if (error)
        return error;
    module->target = target;
    error = publish(table, module, ret_module);
    if (!error)
        (void)take_pointer(module);
    return error;
}

int module_table_new(const struct target *target, struct module_table **ret_table)
{
    struct module_table *table = calloc(1, sizeof *table);
    if (!table)
        return -ENOMEM;
    table->target = target;
    const struct module *none;
    if (add_plain(table, MODULE_NONE, "", NULL, &none) ||
        add_plain(table, MODULE_KERNEL, "[kernel]", NULL, &table->kernel) ||
        add_plain(table, MODULE_ANONYMOUS, "[anon]", target, &table->anonymous)) {
        module_table_free(table);
        return -ENOMEM;
    }
    *ret_table = table;
    return 0;
}

int module_table_restore(struct module_table **ret_table)
{
    *ret_table = calloc(1, sizeof **ret_table);
    return *ret_table ? 0 : -ENOMEM;
}

int module_table_restore_module(struct module_table *table, const struct module *like)
{
    _cleanup_(cleanup_module) struct module *module = NULL;
    const struct module *published;
    int error = new_module(like->kind, like->path, &module);
    if (error)
        return error;
    module->entry = like->entry;
    module->build_id_bytes = like->build_id_bytes;
    memcpy(module->build_id, like->build_id, sizeof module->build_id);
    error = publish(table, module, &published);
    if (!error)
        (void)take_pointer(module);
    return error;
}

void module_table_free(struct module_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; i < stable_count(&table->modules); i++)
        module_free(*(struct module **)stable_at(&table->modules, i, sizeof(struct module *)));
    stable_free(&table->modules);
    for (size_t i = 0; i < table->child_count; i++)
        target_free(table->children[i]);
    rights_clear(&table->rights);
    free(table);
}

uint32_t module_table_count(const struct module_table *table)
{
    return stable_count(&table->modules);
}

const struct module *module_table_get(const struct module_table *table, uint32_t id)
{
    return *(struct module **)stable_at(&table->modules, id, sizeof(struct module *));
}

uint64_t module_table_new_generation(struct module_table *table)
{
    return ++table->generations;
}

const struct module *module_table_kernel(const struct module_table *table)
{
    return table->kernel;
}

/*
 * A run-time compiler maps the jitdump that it writes, so that others find it (Linux,
 * tools/perf/Documentation/jitdump-specification.txt). A child has inherited its parent's.
 */
static bool is_jitdump_of(const struct target *target, const char *path)
{
    char name[32];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "/jit-%d.dump", (int)target->inner_pid);
    return slash && strcmp(slash, name) == 0;
}

/* The next mapping of it may tell more: descriptors are given back, and other processes live. */
static bool is_provisional(const struct module *module)
{
    return module->open_error == EMFILE || module->open_error == ENFILE ||
           module->rights_are_unknown;
}

/* Its name says that it is the target's, so it is if it was written since. */
static bool is_older_jitdump(const struct target *target, const struct module *module)
{
    return module->kind == MODULE_JITDUMP && module->target != target &&
           is_jitdump_of(target, module->path);
}

/* The module of that file; when more of it was known only later, the one of which it was. */
static const struct module *find(const struct module_table *table, const struct target *target,
                                 uint64_t device, uint64_t inode, const char *path)
{
    const struct module *found = NULL;
    for (uint32_t i = 0; i < stable_count(&table->modules); i++) {
        const struct module *module = module_table_get(table, i);
        if (module->device == device && module->inode == inode && !strcmp(module->path, path) &&
            !is_older_jitdump(target, module)) {
            found = module;
            if (module->fd >= 0 && !is_provisional(module))
                break;
        }
    }
    return found;
}

/* maps shows paths as our root sees them; the target names its files below its own. */
static const char *path_in_target(const struct target *target, const char *path)
{
    const char *root = target->root_path;
    size_t length = root ? strlen(root) : 0;
    return length && strncmp(path, root, length) == 0 && path[length] == '/' ? path + length : path;
}

static int open_module(struct module_table *table, const struct target *target,
                       const struct record_mapping *mapping, struct module *module)
{
    struct target *mapper;
    bool is_certain;
    int error = rights_find(target, mapping, &mapper, &is_certain);
    if (error)
        return error;
    error = module_file_open(mapper, mapping, module);
    module->target = rights_keep(&table->rights, mapper);
    module->rights_are_unknown = !is_certain;
    return error;
}

static const struct module *find_anonymous(const struct module_table *table,
                                           const struct target *target)
{
    for (uint32_t i = stable_count(&table->modules); i-- > 0;) { /* the last one counts */
        const struct module *module = module_table_get(table, i);
        if (module->kind == MODULE_ANONYMOUS && module->target == target)
            return module;
    }
    return NULL;
}

/* Anonymous code is named by the process that made it: as long as there is code of it. */
static int intern_anonymous(struct module_table *table, const struct target *target,
                            const struct module **ret_module)
{
    const struct module *module = table->anonymous;
    if (module->target != target)
        module = find_anonymous(table, target);
    bool has_room = table->child_count < CHILDREN_MAX;
    if (!module && !has_room)
        module = table->nameless;
    if (module) {
        *ret_module = module;
        return 0;
    }
    int error = add_plain(table, MODULE_ANONYMOUS, "[anon]", has_room ? target : NULL, ret_module);
    if (error)
        return error;
    if (has_room)
        table->children[table->child_count++] = target_ref(target);
    else
        table->nameless = *ret_module;
    return 0;
}

/*
 * Shared memory that is no ELF file holds code that somebody wrote there: run-time compilers map it
 * twice, to write here and to execute there.
 */
static bool is_shared_memory(const struct module *module)
{
    static const char *const beginnings[] = {"/memfd:", "/dev/zero", "/dev/shm/", "/SYSV"};
    if (module->open_error != ENOEXEC)
        return false;
    for (size_t i = 0; i < array_length(beginnings); i++)
        if (strncmp(module->path, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static bool is_jitdump(const struct target *target, const struct module *module)
{
    return module->fd >= 0 && module->open_error == ENOEXEC && is_jitdump_of(target, module->path);
}

/* The dump belongs to whom the anonymous code belongs. 0 or -ENOMEM. */
static int make_jitdump(struct module_table *table, const struct target *target,
                        struct module *module)
{
    const struct module *code;
    int error = intern_anonymous(table, target, &code);
    if (error || !code->target)
        return error;
    module->kind = MODULE_JITDUMP;
    module->target = code->target;
    return 0;
}

int module_table_renew(struct module_table *table, const struct target *target,
                       const struct module **ret_module)
{
    const struct module *module = NULL;
    uint64_t now_ns = clock_monotonic_ns();
    *ret_module = NULL;
    /* Each costs locations of all that is sampled again: ever more seldom. */
    if (table->renewals >= RENEWALS_MAX ||
        now_ns - table->renewed_ns < table->renewals * RENEWAL_NS)
        return 0;
    int error = add_plain(table, MODULE_ANONYMOUS, "[anon]", target, &module);
    if (error)
        return error;
    table->renewals++;
    table->renewed_ns = now_ns;
    if (table->anonymous->target == target)
        table->anonymous = module;
    *ret_module = module;
    return 0;
}

const struct target *module_table_target(const struct module_table *table)
{
    return table->target;
}

int module_table_intern(struct module_table *table, const struct target *target,
                        const struct record_mapping *mapping, const struct module **ret_module)
{
    bool vdso = strcmp(mapping->path, "[vdso]") == 0;
    if (module_table_count(table) >= MODULES_MAX) {
        *ret_module = table->anonymous;
        return 0;
    }
    if (!vdso && mapping->inode == 0)
        return intern_anonymous(table, target, ret_module);
    const char *path = path_in_target(target, mapping->path);
    uint64_t device = makedev(mapping->device_major, mapping->device_minor);
    const struct module *known = find(table, target, device, mapping->inode, path);
    if (known && !is_provisional(known)) {
        *ret_module = known;
        return 0;
    }

    _cleanup_(cleanup_module) struct module *module = NULL;
    int error = new_module(vdso ? MODULE_VDSO : MODULE_FILE, path, &module);
    if (error)
        return error;
    module->device = device;
    module->inode = mapping->inode;
    error = open_module(table, target, mapping, module);
    if (!error && known && is_provisional(module)) {
        *ret_module = known; /* no more than before */
        return 0;
    }
    if (!error && is_shared_memory(module))
        return intern_anonymous(table, target, ret_module);
    if (!error && !module->rights_are_unknown && is_jitdump(target, module))
        error = make_jitdump(table, target, module);
    if (!error)
        error = publish(table, module, ret_module);
    if (!error)
        (void)take_pointer(module);
    return error;
}
