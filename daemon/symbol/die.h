/* What a function's DIE says about the function: name and declaration. */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The linkage name (mangled), and the plain one, through DW_AT_abstract_origin and
 * DW_AT_specification (libdw follows at most 16). NULL when there is none. Borrowed from libdw.
 */
const char *die_linkage_name(Dwarf_Die *die);
const char *die_name(Dwarf_Die *die);

/* Goes to the end of the same chain. */
void die_follow(Dwarf_Die *die);

/* A file by its index in a unit's line table. */
struct die_file {
    Dwarf_Die unit; /* root DIE of the unit whose table is meant */
    uint64_t index;
};

/* Where it is declared, through the same chain. False when it does not say. */
bool die_declaration(Dwarf_Die *die, struct die_file *ret_file, uint32_t *ret_line);

/* A string attribute of this DIE alone, "" when it has none. Borrowed from libdw. */
const char *die_string(Dwarf_Die *die, unsigned attribute);
