/* The database that a saved profile is: its schema, making one, and opening one of anywhere. */
#pragma once

#include <sqlite3.h>

#include "base/failure.h"
#include "base/md5.h"
#include <stddef.h>

/* Grows with every change of what a file has: only files of this format are read. */
#define SAVED_FORMAT 1

struct database {
    sqlite3 *sqlite; /* owned */
    struct md5 digest;
};

void database_close(struct database *database);

/* An empty one with all tables, in memory. 0 or -ENOMEM. */
int database_create(struct database *ret_database);
/* Its bytes as a file, with the digest of all rows that were written; malloc'ed. 0 or -ENOMEM. */
int database_finish(struct database *database, unsigned char **ret_bytes, size_t *ret_length);

/*
 * Opens the bytes of a file, which are borrowed. Nothing in it is executed: it has exactly our
 * tables and no views or triggers, and its pages are sound. As saved_profile_decode().
 */
int database_open(const unsigned char *bytes, size_t length, struct database *ret_database,
                  struct failure *ret_failure);
/* After all rows were read: 0, or -EBADMSG when they are not those that were written. */
int database_verify(struct database *database);
