/* Reads scopes of a unit that libdw or a split file has. */
#include "symbol/unit_scopes.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* Link-time optimisation has functions of many units in one; but references may go anywhere. */
#define READ_BYTES_MAX (UINT64_C(256) << 20)
#define UNITS_MAX 1024

/* NULL when libdw has it from elsewhere. */
static const struct debug_image *image_of(const struct debug_image *image, Dwarf *dwarf)
{
    while (image && image->dwarf != dwarf)
        image = image->alternate;
    return image;
}

/* Not of .debug_types, which is another section. */
static int describe(const struct debug_image *image, const Dwarf_Die *die,
                    struct unit_data *ret_unit)
{
    Dwarf_Die root;
    uint8_t type;
    Dwarf_Half version;
    Dwarf *dwarf = dwarf_cu_getdwarf(die->cu);
    image = image_of(image, dwarf);
    if (!image || !dwarf_cu_die(die->cu, &root, NULL, NULL, NULL, NULL, NULL, NULL) ||
        dwarf_cu_info(die->cu, &version, &type, NULL, NULL, NULL, NULL, NULL) ||
        (type == DW_UT_type && version < 5))
        return -ENOENT;
    struct unit_header header = {.first_die = dwarf_dieoffset(&root)};
    header.offset = header.first_die - dwarf_cuoffset(&root);
    Dwarf_Off next, abbreviations;
    size_t header_bytes;
    if (dwarf_next_unit(dwarf, header.offset, &next, &header_bytes, &header.version, &abbreviations,
                        &header.address_bytes, &header.offset_bytes, NULL, NULL))
        return -ENOENT;
    header.end = next;
    header.abbreviations = abbreviations;
    *ret_unit = (struct unit_data){.header = header};
    ret_unit->info = debug_image_span(image, ".debug_info");
    ret_unit->abbreviations = debug_image_span(image, ".debug_abbrev");
    return 0;
}

static int read_linked(const struct debug_image *image, const Dwarf_Die *die,
                       struct unit_scopes *scopes, struct scope_table *ret_table)
{
    struct unit_data unit;
    struct abbreviations abbreviations;
    int error = describe(image, die, &unit);
    if (error)
        return error;
    scopes->bytes_read += unit.header.end - unit.header.offset;
    if (scopes->bytes_read > READ_BYTES_MAX)
        return 0;
    error = abbreviations_read(&unit.header, unit.abbreviations, &abbreviations);
    if (error)
        return error;
    error = scope_table_read(&unit, &abbreviations, ret_table);
    abbreviations_free(&abbreviations);
    return error;
}

/* One that cannot be read has no scopes, and is not tried again. */
static int read_table(const struct debug_image *image, const struct die_place *place,
                      struct unit_scopes *scopes, struct scope_table *ret_table)
{
    *ret_table = (struct scope_table){0};
    int error = place->split
                    ? scope_table_read(&place->split->data, &place->split->abbreviations, ret_table)
                    : read_linked(image, &place->die, scopes, ret_table);
    return error == -ENOMEM ? error : 0;
}

int unit_scopes_find(struct unit_scopes *scopes, const struct debug_image *image,
                     const struct die_place *place, const struct scope_table **ret_table)
{
    static const struct scope_table nothing = {0};
    const void *unit = place->split ? (const void *)place->split : place->die.cu;
    size_t at = 0;
    while (at < scopes->count && scopes->items[at].unit != unit)
        at++;
    if (at == UNITS_MAX) {
        *ret_table = &nothing;
        return 0;
    }
    if (at == scopes->count) {
        if (array_reserve(&scopes->items, &scopes->capacity, at + 1, sizeof *scopes->items))
            return -ENOMEM;
        int error = read_table(image, place, scopes, &scopes->items[at].table);
        if (error)
            return error;
        scopes->items[at].unit = unit;
        scopes->count++;
    }
    *ret_table = &scopes->items[at].table;
    return 0;
}

size_t unit_scopes_bytes(const struct unit_scopes *scopes)
{
    size_t bytes = scopes->capacity * sizeof *scopes->items;
    for (size_t i = 0; i < scopes->count; i++)
        bytes += scope_table_bytes(&scopes->items[i].table);
    return bytes;
}

void unit_scopes_free(struct unit_scopes *scopes)
{
    for (size_t i = 0; i < scopes->count; i++)
        scope_table_free(&scopes->items[i].table);
    free(scopes->items);
    *scopes = (struct unit_scopes){0};
}
