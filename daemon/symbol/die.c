/* Attributes of function DIEs. */
#include "symbol/die.h"

#include <dwarf.h>
#include <stddef.h>

/* As many as libdw follows. */
#define REFERENCES_MAX 16

static const char *integrated_string(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    const char *string = dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
    return string && string[0] ? string : NULL;
}

const char *die_linkage_name(Dwarf_Die *die)
{
    const char *name = integrated_string(die, DW_AT_linkage_name);
    return name ? name : integrated_string(die, DW_AT_MIPS_linkage_name);
}

const char *die_name(Dwarf_Die *die)
{
    return integrated_string(die, DW_AT_name);
}

void die_follow(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    for (int i = 0; i < REFERENCES_MAX; i++) {
        if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
            !dwarf_attr(die, DW_AT_specification, &attribute))
            return;
        if (!dwarf_formref_die(&attribute, &next))
            return;
        *die = next;
    }
}

bool die_declaration(Dwarf_Die *die, struct die_file *ret_file, uint32_t *ret_line)
{
    Dwarf_Attribute file_attribute, line_attribute;
    Dwarf_Word file, line;
    if (!dwarf_attr_integrate(die, DW_AT_decl_file, &file_attribute) ||
        dwarf_formudata(&file_attribute, &file) ||
        !dwarf_attr_integrate(die, DW_AT_decl_line, &line_attribute) ||
        dwarf_formudata(&line_attribute, &line) || line > UINT32_MAX)
        return false;
    /* The index counts in the unit that the attribute was found in. */
    struct die_file found = {.index = file};
    if (!dwarf_cu_die(file_attribute.cu, &found.unit, NULL, NULL, NULL, NULL, NULL, NULL))
        return false;
    *ret_file = found;
    *ret_line = (uint32_t)line;
    return true;
}

const char *die_string(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute found;
    const char *string = dwarf_formstring(dwarf_attr(die, attribute, &found));
    return string ? string : "";
}
