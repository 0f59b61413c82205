/* Opens the file that a mapping is of. */
#pragma once

#include "lprofd/module.h"
#include "lprofd/privilege.h"
#include "lprofd/record.h"

/*
 * Fills what the file tells of a module whose kind, device and inode are known; open_error says why
 * when it tells nothing. The file is that which `target` has mapped. 0 or -ENOMEM.
 */
int module_file_open(const struct target *target, const struct record_mapping *mapping,
                     struct module *module);
