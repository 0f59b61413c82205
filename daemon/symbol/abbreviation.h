/* Abbreviations of DIEs, and how long the values of each form are (DWARF 5 §7.5). */
#pragma once

#include "symbol/unit_data.h"

#define FORM_VARIABLE UINT32_MAX

/* How many bytes a value of that form takes, FORM_VARIABLE when its bytes tell (DWARF 5 §7.5.6). */
uint32_t form_bytes(const struct unit_header *unit, uint32_t form);

/* The form itself, or the one that the value of DW_FORM_indirect begins with. */
uint32_t form_resolve(struct reader *reader, uint32_t form);

/* Steps over a value of any form; one that nobody knows fails the reader. */
void form_skip(struct reader *reader, const struct unit_header *unit, uint32_t form);

/* An attribute of an abbreviation (DWARF 5 §7.5.3). */
struct abbreviation_attribute {
    uint32_t name, form;
    uint32_t bytes;   /* of its value, or FORM_VARIABLE */
    int64_t implicit; /* the value of DW_FORM_implicit_const */
};

/* What is looked for in a unit. */
enum die_kind {
    DIE_HAS_CODE = 1,    /* a subprogram or inlined subroutine with addresses, not a declaration */
    DIE_IS_FUNCTION = 2, /* such a subprogram */
    DIE_IS_SCOPE = 4,    /* a name space, class or function: it may enclose functions */
};

struct abbreviation {
    uint32_t tag; /* 0: there is no abbreviation of this code */
    bool has_children;
    uint32_t kinds;       /* enum die_kind, any of them */
    uint32_t fixed_bytes; /* of all attribute values, or FORM_VARIABLE */
    uint32_t first_attribute, attribute_count;
};

struct abbreviations {
    struct abbreviation *items; /* owned, by code */
    size_t count, capacity;
    struct abbreviation_attribute *attributes; /* owned */
    size_t attribute_count, attribute_capacity;
};

/* Reads those of a unit from .debug_abbrev. 0, -ENOMEM or -EBADMSG. */
int abbreviations_read(const struct unit_header *unit, struct span section,
                       struct abbreviations *ret_abbreviations);

/* NULL when there is none of that code. */
static inline const struct abbreviation *
abbreviations_get(const struct abbreviations *abbreviations, uint64_t code)
{
    return code < abbreviations->count && abbreviations->items[code].tag
               ? &abbreviations->items[code]
               : NULL;
}

size_t abbreviations_bytes(const struct abbreviations *abbreviations);
void abbreviations_free(struct abbreviations *abbreviations);
