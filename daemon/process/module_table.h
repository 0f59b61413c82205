/*
 * The modules of a session: each file once, however often it is mapped. Modules keep their files
 * open, so an inode cannot be used again while its module is known. One writer, readers without
 * a lock.
 */
#pragma once

#include "lprofd/module.h"
#include "lprofd/privilege.h"
#include "lprofd/record.h"

struct module_table;

/* The target must outlive the table. 0 or -ENOMEM. */
int module_table_new(const struct target *target, struct module_table **ret_table);
void module_table_free(struct module_table *table);

/*
 * A table without modules, for those that were kept elsewhere. Each gets the next id, from 0: a
 * copy of kind, path, entry and build-id of `like`, without a file. 0 or -ENOMEM.
 */
int module_table_restore(struct module_table **ret_table);
int module_table_restore_module(struct module_table *table, const struct module *like);

/*
 * Writer: the module that this mapping of `target` is of, opened and added when new. 0 or -ENOMEM.
 */
int module_table_intern(struct module_table *table, const struct target *target,
                        const struct record_mapping *mapping, const struct module **ret_module);

/*
 * Writer: anonymous code of `target` (as in a module) is another module from now on: what was there
 * was replaced. *ret_module is NULL when that was done too often, or too short a while ago.
 */
int module_table_renew(struct module_table *table, const struct target *target,
                       const struct module **ret_module);

/* The target that the table was made for. */
const struct target *module_table_target(const struct module_table *table);

/* Writer: a number that it never gave before, and not 0: for address spaces that change. */
uint64_t module_table_new_generation(struct module_table *table);

/* The kernel; always there. */
const struct module *module_table_kernel(const struct module_table *table);

/* Readers: published modules; id 0 is MODULE_NONE. */
uint32_t module_table_count(const struct module_table *table);
const struct module *module_table_get(const struct module_table *table, uint32_t id);
