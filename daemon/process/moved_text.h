/*
 * Text that a program has moved to anonymous memory in its place: onto huge pages, most of all
 * (node --use-largepages, opcache.huge_code_pages, ClickHouse, HHVM).
 */
#pragma once

#include "lprofd/module.h"
#include "lprofd/privilege.h"

/*
 * Whether the anonymous memory at [start, end) of `target` is text of `module`, which is mapped
 * with this bias (vaddr = ip - bias): it lies within an executable segment, and what is there now
 * is what the file has, at a few places. False also where that cannot be read.
 */
bool moved_text_is_of(const struct module *module, uint64_t bias, const struct target *target,
                      uint64_t start, uint64_t end);
