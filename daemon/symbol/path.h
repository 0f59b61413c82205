/* Source paths as text: they are compared and opened, but never looked up here. */
#pragma once

#include <stddef.h>

/*
 * `path` below `directory` (ignored when path is absolute, may be NULL), with "//", "/./" and
 * "name/../" removed. ".." above the root is dropped; leading ".." of a relative path stay.
 * *ret_path is malloc'ed. 0, -ENOMEM, or -ENAMETOOLONG past PATH_BYTES_MAX.
 */
int path_join(const char *directory, const char *path, char **ret_path);

/* The same, but every ".." stays: "link/.." is elsewhere when link is a symbolic link. */
int path_append(const char *directory, const char *path, char **ret_path);

/* Makes of what path_append() gives, in place, what path_join() would. */
void path_normalise(char *path);

#define PATH_BYTES_MAX 8192

/* The part after the last slash; the whole of it when there is none. Borrowed from `path`. */
const char *path_basename(const char *path);

/* The bytes before the last slash: 0 when there is none or it is the root's. */
size_t path_directory_length(const char *path);
