/* What is open and decoded of one module: its symbols, its debug file, its touched units. */
#pragma once

#include "lprofd/symbols.h"
#include "symbol/elf_symbols.h"
#include "symbol/frame_functions.h"
#include "symbol/go_lines.h"
#include "symbol/stored_module.h"
#include "symbol/unit.h"
#include "symbol/unit_index.h"

/* Decoded units are a cache: all that was asked for is published already. */
#define OBJECT_UNITS_BYTES_MAX (64u << 20)

struct object {
    const struct module *module;  /* borrowed */
    const struct cancel *cancel;  /* borrowed, or NULL */
    struct elf_reader *binary;    /* owned; NULL when unreadable or foreign */
    struct elf_reader *debug;     /* owned; NULL when there is no split file */
    char *debug_path;             /* owned; where that was found; NULL when it was fetched */
    struct elf_reader *alternate; /* owned; the dwz file that was fetched with it, or NULL */
    char *alternate_problem;      /* owned: why there is none, though it is needed; or NULL */
    struct elf_symbols symbols;
    struct frame_functions unnamed; /* read when the first address has no symbol */
    bool unnamed_read;
    struct go_lines *go; /* owned; NULL: not a Go program, or it has DWARF */
    bool is_foreign;     /* the file can be read, but is not ELF: an image of a run-time system */
    /* SYMBOL_LINE while lines may follow, else why they do not. */
    enum symbol_status status;
    struct debug_image *image; /* owned; loaded when lines are asked for */
    struct unit_index index;
    bool indexed;
    bool is_damaged;     /* something that was asked for could not be read */
    struct unit **units; /* owned, by position in index; NULL while untouched */
    struct split_search splits;
    struct stored_module *stored; /* owned; NULL: nothing of it is kept on disk */
    size_t units_bytes;           /* of those that are decoded */
    uint64_t last_use;
};

/*
 * Opens a module and its split debug file, and reads symbol tables. `cancel` (may be NULL) is for
 * all that is read of it, and outlives it. 0 or -ENOMEM.
 */
int object_open(const struct module *module, const struct cancel *cancel,
                struct object **ret_object);
void object_free(struct object *object);

/*
 * Where the function that no symbol names begins. Where call frame information is silent, too: the
 * end of what comes before it in its section; vaddr itself outside of all. 0 or -ENOMEM.
 */
int object_unnamed_start(struct object *object, uint64_t vaddr, uint64_t *ret_start);

/*
 * Goes on with this debug file (from elsewhere: its build-id is compared) and the dwz file it
 * refers to (-1: none). Takes over both descriptors. 0, -ENOMEM, -ESTALE when it is the file of
 * another build, -ENODATA when it has no lines, or -EBADF, -EBADMSG: the object is as it was
 * before.
 */
int object_add_debug(struct object *object, int fd, int alternate_fd);

/*
 * Opens the dwz file that the debug file refers to, if one does; NULL when none does, or when it is
 * not there, as *ret_problem (malloc'ed, or NULL) tells people. 0 or -ENOMEM.
 */
int object_find_alternate(const struct object *object, struct elf_reader **ret_file,
                          char **ret_problem);

/* Takes over the text, which may be NULL. */
void object_set_alternate_problem(struct object *object, char *problem);

/* Whether object_load_lines() has something to do. */
bool object_lacks_lines(const struct object *object);

/*
 * Loads debug sections and the unit index. While large ones are inflated, units that have code at
 * `vaddrs` (`count` of them, rising; they may be none) are decoded as they come, and `meanwhile`
 * (may be NULL) is called every few milliseconds; it must leave this object's lines alone. 0,
 * -ENOMEM or -ECANCELED; see status.
 */
int object_load_lines(struct object *object, const uint64_t *vaddrs, size_t count,
                      void (*meanwhile)(void *user), void *user);

/*
 * The frames at vaddr, from DWARF; one frame with just `fallback` (the function by ELF symbol) when
 * it has none. Needs object_load_lines() and status SYMBOL_LINE. 0 or -ENOMEM.
 */
int object_resolve(struct object *object, struct store *store, uint64_t vaddr, uint32_t fallback,
                   struct frame *ret_frames, size_t *ret_count);

/* Whether what object_resolve() said of vaddr lacks something because it could not be read. */
bool object_is_damaged_at(const struct object *object, uint64_t vaddr);

/*
 * Uses what is on disk of the module, and adds to it, if its debug information is large enough:
 * `bytes_min` of .debug_info in the file. 0 or -ENOMEM.
 */
int object_use_cache(struct object *object, struct disk_cache *cache, uint64_t bytes_min);

/* As object_resolve(), from what is on disk alone. -ENOENT when it is not there. */
int object_resolve_stored(struct object *object, struct store *store, uint64_t vaddr,
                          uint32_t fallback, struct frame *ret_frames, size_t *ret_count);

/* True while debug sections are there of which something is still to be kept on disk. */
bool object_has_to_store(const struct object *object);

/* Does a few milliseconds of that. */
void object_store_some(struct object *object);

/* The file that has the debug sections, and where it was found. Both are borrowed. */
const struct elf_reader *object_debug_reader(const struct object *object);
const char *object_debug_path(const struct object *object);
struct unit_source object_unit_source(struct object *object);

/* Frees debug sections and decoded units; they are loaded again when needed. */
void object_forget_lines(struct object *object);

/* What of its debug information is missing or cannot be read, for people: malloc'ed, or NULL. */
char *object_problem(const struct object *object);

/* What object_forget_lines() would free, and all that is held. */
size_t object_lines_bytes(const struct object *object);
size_t object_bytes(const struct object *object);
