/* The executable mappings of one process as they are at one moment of the record stream. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "process/module_table.h"

struct address_space;

/* Modules are interned in `modules`, which must outlive the space. 0 or -ENOMEM. */
int address_space_new(struct module_table *modules, struct address_space **ret_space);
/*
 * What a child has after fork(2). `target` is the child: the files that it maps later are opened
 * as its own. It must outlive the space.
 */
int address_space_clone(const struct address_space *parent, const struct target *target,
                        struct address_space **ret_space);
void address_space_free(struct address_space *space);

/* Gives back memory that only much searching needs. */
void address_space_trim(struct address_space *space);

/*
 * Adds a mapping on top of what was there, as mmap(2) with MAP_FIXED does. Anonymous memory at the
 * place of a file's text, with the same bytes, is mapped as that file: the program has moved it.
 * 0 or -ENOMEM.
 */
int address_space_map(struct address_space *space, const struct record_mapping *mapping);

/* Anonymous code of `module`'s target is in that module from now on. */
void address_space_renew(struct address_space *space, const struct module *module);

/* Forgets all mappings. */
void address_space_clear(struct address_space *space);

/* The same, and what is mapped from now on is of `target`: a new image was executed. */
void address_space_exec(struct address_space *space, const struct target *target);

/* Whose mappings these are. */
const struct target *address_space_target(const struct address_space *space);

/*
 * The stack pointer that the program began with, where the kernel has put its arguments: all frames
 * of its main thread lie below. 0 when that is not known: /proc/PID/stat tells it only to those who
 * may trace the process.
 */
uint64_t address_space_initial_sp(const struct address_space *space);

/* Looks that up: address_space_read() does, too, and a clone has it. */
void address_space_read_initial_sp(struct address_space *space, pid_t pid);

/* The answers of address_space_find() and address_space_initial_sp() are the same while this is.
 * Never 0. */
uint64_t address_space_generation(const struct address_space *space);

/* Replaces all mappings by what these lines of /proc/PID/maps say. */
int address_space_replace(struct address_space *space, const char *maps);

/* The same by /proc/PID/maps as it is now. What is known stays when that cannot be read. */
int address_space_read(struct address_space *space, pid_t pid);

/*
 * The module that `ip` lies in, and its ELF vaddr there. NULL when nothing is mapped at ip.
 * O(1) for pages seen lately, else O(log mappings).
 */
const struct module *address_space_find(struct address_space *space, uint64_t ip,
                                        uint64_t *ret_vaddr);
