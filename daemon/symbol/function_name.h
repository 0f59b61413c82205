/*
 * What a function is called whose DIE has no linkage name: gcc gives none to what other units
 * cannot see (static functions, unnamed name spaces, lambdas). The ELF symbol of the function, or
 * of a copy of it that was not inlined, says most; without one, the scopes of the declaration are
 * put in front of the plain name.
 */
#pragma once

#include "symbol/die_place.h"
#include "symbol/unit.h"

/* Whether functions of the DIE's unit can be in scopes at all: C's are called what they are. */
bool function_name_is_scoped(struct die_place *place);

/* The function of a node of the unit, by its DIE and plain name: malloc'ed. 0 or -ENOMEM. */
int function_name(struct unit *unit, const struct unit_context *context,
                  const struct inline_node *node, struct die_place *place, const char *name,
                  char **ret_name);

/*
 * glibc gives functions that it exports and calls itself a second, local name: __GI_malloc. People
 * know the one that is exported, whose symbol is at the same address.
 */
bool function_name_is_internal(const char *linkage_name);
/*
 * GNU as writes a DIE for each of the names that a function written in assembly has (fmin, fminf64,
 * fminf32x), and none of these DIEs is better than another. O(functions of the unit).
 */
bool function_name_is_alias(const struct unit *unit, const struct inline_node *node,
                            struct die_place *place);
/* The best name that the symbol table has for it, or else its DIE's: malloc'ed. 0 or -ENOMEM. */
int function_name_exported(struct unit *unit, const struct unit_context *context,
                           const struct inline_node *node, struct die_place *place,
                           const char *die_name, char **ret_name);

/* Goes to the class that the function is a member of. 0, -ENOENT or -ENOMEM. */
int function_name_class(struct unit *unit, const struct unit_context *context,
                        struct die_place *place);
