/* The session document as rows: a name and a value each. */
#pragma once

#include "saved/budget.h"
#include "saved/database.h"
#include "saved/saved_profile.h"

/* 0 or -errno of rows_end(). */
int document_write(struct database *database, const struct session_info *info,
                   const struct symbol_jit *jit);
/* Fills profile->info and the strings beside it, and tells profile->symbols of compiled code. */
int document_read(struct database *database, struct budget *budget, struct saved_profile *profile);
