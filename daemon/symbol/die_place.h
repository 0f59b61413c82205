/* A DIE, of a linked unit or of a split one, and what it says of its function. */
#pragma once

#include "symbol/die.h"
#include "symbol/split_unit.h"

struct die_place {
    const struct split_unit *split; /* borrowed; NULL: a linked unit, and `die` is what counts */
    uint64_t offset;                /* of a split unit's DIE, in data.info */
    Dwarf_Die die;
};

/* Through what the DIE refers to. Borrowed; NULL unknown. */
struct die_names {
    const char *linkage_name, *name;
};

struct die_names die_place_names(struct die_place *place);

/* DW_AT_language of its unit, 0 unknown. */
uint32_t die_place_language(struct die_place *place);

/* The DIE at the end of the chain of references: it lies where its function is declared. */
struct die_place die_place_declared(struct die_place *place);

/* The DIE that it is a copy of, by its offset, when that is in the same unit; else 0. */
uint64_t die_place_origin(struct die_place *place);

uint64_t die_place_offset(struct die_place *place);

/* The DIE at another offset of the same unit. False when there is none. */
bool die_place_move(struct die_place *place, uint64_t offset);
