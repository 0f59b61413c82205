/* Finds the .dwo files or the .dwp package that a module's units were split off to. */
#pragma once

#include "lprofd/privilege.h"
#include "symbol/split_unit.h"

/* One module's search. */
struct split_search {
    const struct target *target; /* borrowed */
    struct split_file *package;  /* owned; NULL when there is none */
    bool package_sought;
    bool missing; /* the file of some unit is nowhere */
    bool stale;   /* that of some unit is of another build, or broken */
    char *first;  /* owned: where the first of them should be */
};

/* What a skeleton says of the unit it stands for. All borrowed. */
struct split_reference {
    uint64_t id;
    const char *name, *directory; /* DW_AT_dwo_name, DW_AT_comp_dir */
    const char *linked_path;      /* of the file that the skeleton is in */
    struct unit_data skeleton;
};

/*
 * In the package beside the linked file (LINKED.dwp), then in the file that is named: below the
 * compilation directory, and where this is relative or the file moved, beside the linked file.
 * Opened below the target's root with the target's rights; only the unit with the right id counts.
 * *ret_unit is NULL, and the search remembers why, when there is none. 0 or -ENOMEM.
 */
int split_search_find(struct split_search *search, const struct split_reference *reference,
                      struct split_unit **ret_unit);

/* What the package holds in memory; units count for themselves. */
size_t split_search_bytes(const struct split_search *search);

/* Lets go of the package, of which no unit may be left: it is sought again when needed. */
void split_search_forget(struct split_search *search);

/* For people: which files are missing or of another build; malloc'ed, or NULL. */
char *split_search_problem(const struct split_search *search);

void split_search_free(struct split_search *search);
