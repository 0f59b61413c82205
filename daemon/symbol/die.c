/* Attributes of function DIEs. */
#include "symbol/die.h"

#include <dwarf.h>
#include <stddef.h>

#include "base/cleanup.h"

static const char *integrated_string(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

const char *die_function_name(Dwarf_Die *die)
{
    static const unsigned attributes[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
    for (size_t i = 0; i < array_length(attributes); i++) {
        const char *name = integrated_string(die, attributes[i]);
        if (name && name[0])
            return name;
    }
    return NULL;
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
