/* Stacks and counts as packed columns. */
#pragma once

#include "saved/budget.h"
#include "saved/column.h"
#include "saved/saved_profile.h"

/* Appends to the COLUMN_COUNT columns. Needs the lock of the view's symbols. */
void stacks_write(const struct profile_view *view, struct column_writer *columns);

/*
 * Makes profile->trie, the locations of profile->symbols, and profile->buckets of COLUMN_COUNT
 * columns: the modules, threads, files, functions and info are read already. 0, -EBADMSG, -EFBIG or
 * -ENOMEM.
 */
int stacks_read(struct column *columns, struct budget *budget, struct saved_profile *profile);
