/* Asks libdw or a split unit. */
#include "symbol/die_place.h"

#include <dwarf.h>

struct die_names die_place_names(struct die_place *place)
{
    if (place->split) {
        struct split_function function = split_unit_function(place->split, place->offset);
        return (struct die_names){function.linkage_name, function.name};
    }
    return (struct die_names){die_linkage_name(&place->die), die_name(&place->die)};
}

uint32_t die_place_language(struct die_place *place)
{
    if (place->split)
        return split_unit_function(place->split, place->split->data.header.first_die).language;
    Dwarf_Die unit;
    if (!dwarf_cu_die(place->die.cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL))
        return 0;
    int language = dwarf_srclang(&unit);
    return language > 0 ? (uint32_t)language : 0;
}

struct die_place die_place_declared(struct die_place *place)
{
    struct die_place declared = *place;
    if (place->split)
        declared.offset = split_unit_function(place->split, place->offset).declared;
    else
        die_follow(&declared.die);
    return declared;
}

uint64_t die_place_origin(struct die_place *place)
{
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    if (place->split)
        return split_unit_function(place->split, place->offset).origin;
    if (!dwarf_formref_die(dwarf_attr(&place->die, DW_AT_abstract_origin, &attribute), &origin) ||
        origin.cu != place->die.cu)
        return 0;
    return dwarf_dieoffset(&origin);
}

uint64_t die_place_offset(struct die_place *place)
{
    return place->split ? place->offset : dwarf_dieoffset(&place->die);
}

bool die_place_move(struct die_place *place, uint64_t offset)
{
    place->offset = offset;
    return place->split || dwarf_offdie(dwarf_cu_getdwarf(place->die.cu), offset, &place->die);
}
