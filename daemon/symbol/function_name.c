/* Asks ELF symbols first, then scopes. */
#include "symbol/function_name.h"

#include <ctype.h>
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "symbol/demangle.h"

#define SCOPES_MAX 32
#define CALL_OPERATOR "operator()"

/* Assigned after DWARF 5 was published; elfutils 0.188 does not know them. */
#define LANG_C_PLUS_PLUS_17 0x2a
#define LANG_C_PLUS_PLUS_20 0x2b

static bool is_cxx(uint32_t language)
{
    return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14 ||
           language == LANG_C_PLUS_PLUS_17 || language == LANG_C_PLUS_PLUS_20;
}

bool function_name_is_scoped(struct die_place *place)
{
    struct die_place declared = die_place_declared(place);
    uint32_t language = die_place_language(&declared);
    if (!language) /* dwz's shared units do not say */
        language = die_place_language(place);
    return is_cxx(language) || language == DW_LANG_D;
}

/* --- by ELF symbol -------------------------------------------------------------------------- */

static bool is_word(char character)
{
    return character == '_' || isalnum((unsigned char)character);
}

/* A lambda's; with arguments of a template, a generic lambda's. */
static bool is_call_operator(const char *name)
{
    size_t length = strlen(CALL_OPERATOR);
    return strncmp(name, CALL_OPERATOR, length) == 0 &&
           (name[length] == '\0' || name[length] == '<');
}

/* Without a template's arguments, of which DIEs may say `long int` and symbols `long`. */
static size_t plain_length(const char *name)
{
    if (is_call_operator(name))
        return strlen(CALL_OPERATOR);
    return strncmp(name, "operator", 8) == 0 ? strlen(name) : strcspn(name, "<!");
}

/* Functions with equal code may share an address: the symbol must be one that has the name. */
static bool has_name(const char *readable, const char *name)
{
    size_t length = plain_length(name);
    for (const char *at = readable; (at = strchr(at, name[0])); at++)
        if (strncmp(at, name, length) == 0 && (at == readable || !is_word(at[-1])) &&
            !(is_word(at[length - 1]) && is_word(at[length])))
            return true;
    return false;
}

/* *ret_name is NULL when there is no such symbol. Clones are called what they are clones of. */
static int symbol_name(const struct elf_symbols *symbols, uint64_t entry, const char *name,
                       char **ret_name)
{
    const char *symbol = elf_symbols_find(symbols, entry);
    *ret_name = NULL;
    if (!symbol)
        return 0;
    _cleanup_free_ char *mangled = strndup(symbol, strcspn(symbol, "."));
    _cleanup_free_ char *readable = NULL;
    int error = mangled ? demangle(mangled, &readable) : -ENOMEM;
    if (error)
        return error;
    bool is_mangled = strcmp(mangled, readable) != 0;
    if (is_mangled ? has_name(readable, name) : strcmp(readable, name) == 0)
        *ret_name = take_pointer(readable);
    return 0;
}

/* The node's own code when it is a function of its own, else a copy's. NULL: there is none. */
static int find_code(struct unit *unit, const struct inline_node *node, struct die_place *place,
                     const struct inline_function **ret_function)
{
    if (node->parent == NODE_NONE) {
        *ret_function =
            inline_tree_function(&unit->tree, unit->tree.unit.header.offset + node->die);
        return 0;
    }
    uint64_t origin = die_place_origin(place);
    *ret_function = NULL;
    return origin ? inline_tree_copy(&unit->tree, origin, ret_function) : 0;
}

/* --- by scopes ------------------------------------------------------------------------------ */

/* The scope around the function or scope at `place`, which it goes to. 0, -ENOENT or -ENOMEM. */
static int enclosing_scope(struct unit *unit, const struct unit_context *context,
                           struct die_place *place, uint32_t *ret_tag)
{
    const struct scope_table *table;
    *place = die_place_declared(place);
    int error = unit_scopes_find(&unit->scopes, context->image, place, &table);
    if (error)
        return error;
    uint32_t found = scope_table_find(table, die_place_offset(place));
    if (found == SCOPE_NONE || !die_place_move(place, table->scopes[found].offset))
        return -ENOENT;
    *ret_tag = table->scopes[found].tag;
    return 0;
}

static bool is_class(uint32_t tag)
{
    return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_interface_type;
}

/* Names of scopes, from the inside to the outside. */
struct scope_names {
    const char *names[SCOPES_MAX]; /* borrowed */
    size_t count;
    char *outermost; /* owned: the last one, if it had to be made readable */
};

/* *ret_is_last: the name says what is around it, too. */
static int add_scope(struct scope_names *scopes, struct die_place *place, uint32_t tag,
                     const char *function, bool *ret_is_last)
{
    struct die_names names = die_place_names(place);
    const char **name = &scopes->names[scopes->count++];
    *name = names.name;
    *ret_is_last = tag == DW_TAG_subprogram && names.linkage_name;
    if (*ret_is_last) {
        int error = demangle(names.linkage_name, &scopes->outermost);
        if (error)
            return error;
        *name = scopes->outermost;
    }
    if (*name)
        return 0;
    if (tag == DW_TAG_namespace)
        *name = "(anonymous namespace)";
    else
        *name = scopes->count == 1 && is_call_operator(function) ? "{lambda}" : "{unnamed type}";
    return 0;
}

static int find_scopes(struct unit *unit, const struct unit_context *context,
                       struct die_place place, const char *function, struct scope_names *scopes)
{
    bool is_last = false;
    int error = 0;
    while (!error && !is_last && scopes->count < SCOPES_MAX) {
        uint32_t tag;
        error = enclosing_scope(unit, context, &place, &tag);
        if (!error)
            error = add_scope(scopes, &place, tag, function, &is_last);
    }
    return error == -ENOENT ? 0 : error;
}

static int scoped_name(struct unit *unit, const struct unit_context *context,
                       struct die_place *place, const char *name, char **ret_name)
{
    struct scope_names scopes = {0};
    struct text text = {0};
    int error = find_scopes(unit, context, *place, name, &scopes);
    const char *separator = die_place_language(place) == DW_LANG_D ? "." : "::";
    for (size_t i = scopes.count; i-- > 0 && !error;)
        text_printf(&text, "%s%s", scopes.names[i], separator);
    text_add_string(&text, name);
    free(scopes.outermost);
    if (!error && text.failed)
        error = -ENOMEM;
    if (error)
        text_free(&text);
    else
        *ret_name = text.bytes;
    return error;
}

int function_name(struct unit *unit, const struct unit_context *context,
                  const struct inline_node *node, struct die_place *place, const char *name,
                  char **ret_name)
{
    const struct inline_function *code;
    char *found = NULL;
    int error = find_code(unit, node, place, &code);
    if (!error && code)
        error = symbol_name(context->symbols, code->entry, name, &found);
    if (!error && !found)
        error = scoped_name(unit, context, place, name, &found);
    if (!error)
        *ret_name = found;
    return error;
}

bool function_name_is_internal(const char *linkage_name)
{
    return linkage_name && strncmp(linkage_name, "__GI_", 5) == 0;
}

bool function_name_is_alias(const struct unit *unit, const struct inline_node *node,
                            struct die_place *place)
{
    return node->parent == NODE_NONE &&
           die_place_language(place) == DW_LANG_Mips_Assembler && /* of any machine */
           inline_tree_has_twin(&unit->tree, unit->tree.unit.header.offset + node->die);
}

int function_name_exported(struct unit *unit, const struct unit_context *context,
                           const struct inline_node *node, struct die_place *place,
                           const char *die_name, char **ret_name)
{
    const struct inline_function *code;
    int error = find_code(unit, node, place, &code);
    if (error)
        return error;
    const char *symbol = code ? elf_symbols_find_start(context->symbols, code->entry) : NULL;
    symbol = symbol ? symbol : die_name;
    _cleanup_free_ char *name =
        strndup(symbol, strcspn(symbol, "@")); /* clock_gettime@@GLIBC_2.17 */
    return name ? demangle(name, ret_name) : -ENOMEM;
}

int function_name_class(struct unit *unit, const struct unit_context *context,
                        struct die_place *place)
{
    uint32_t tag;
    int error = enclosing_scope(unit, context, place, &tag);
    return error ? error : is_class(tag) ? 0 : -ENOENT;
}
