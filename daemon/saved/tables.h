/* What has a table of its own: modules, threads, files, functions, sources, packed columns. */
#pragma once

#include "saved/budget.h"
#include "saved/column.h"
#include "saved/database.h"
#include "saved/saved_profile.h"

/* All 0 or -errno of rows_end(). Needs the lock of the view's symbols. */
int tables_write(struct database *database, const struct saved_content *content);
int tables_write_columns(struct database *database, struct column_writer *columns);

/* In the same order. All 0, -EBADMSG, -EFBIG or -ENOMEM. */
int tables_read(struct database *database, struct budget *budget, struct saved_profile *profile);
/* Unpacks the COLUMN_COUNT columns into memory that columns_clear() frees. */
int tables_read_columns(struct database *database, struct budget *budget, struct column *columns);
void columns_clear(struct column *columns);
