/* Where .dwo files and .dwp packages are looked for. */
#include "symbol/split_search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbol/path.h"

static void free_file(struct split_file **file)
{
    split_file_free(*file);
}

/* 0, -ENOENT or -ENOMEM. */
static int open_file(const struct split_search *search, const char *path,
                     struct split_file **ret_file)
{
    int fd;
    if (!search->target || path[0] != '/' || privilege_open_in_target(search->target, path, &fd))
        return -ENOENT;
    return split_file_open(fd, ret_file);
}

/* gdb and LLVM name packages alike: the program's name and ".dwp". */
static int seek_package(struct split_search *search, const char *linked_path)
{
    if (search->package_sought)
        return 0;
    search->package_sought = true;
    int length = (int)strlen(linked_path), bare = length - (int)strlen(".debug");
    const int lengths[] = {length, bare};
    size_t count = bare > 0 && strcmp(linked_path + bare, ".debug") == 0 ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, "%.*s.dwp", lengths[i], linked_path) < 0) {
            path = NULL;
            return -ENOMEM;
        }
        int error = open_file(search, path, &search->package);
        if (error != -ENOENT)
            return error;
    }
    return 0;
}

static int find_in_package(struct split_search *search, const struct split_reference *reference,
                           struct split_unit **ret_unit)
{
    int error = seek_package(search, reference->linked_path);
    if (error || !search->package)
        return error ? error : -ENOENT;
    return split_unit_read(search->package, reference->id, &reference->skeleton, ret_unit);
}

/* -ESTALE when there is a file, but not of this build, or a broken one. */
static int try_path(const struct split_search *search, const struct split_reference *reference,
                    const char *path, struct split_unit **ret_unit)
{
    _cleanup_(free_file) struct split_file *file = NULL;
    int error = open_file(search, path, &file);
    if (error)
        return error;
    error = split_unit_read(file, reference->id, &reference->skeleton, ret_unit);
    if (!error)
        (*ret_unit)->own_file = take_pointer(file);
    return error && error != -ENOMEM ? -ESTALE : error;
}

/* The nth place where a .dwo file may be; NULL when there is no such place. Malloc'ed. */
static int candidate(const struct split_reference *reference, size_t which, char **ret_path)
{
    size_t length = path_directory_length(reference->linked_path);
    _cleanup_free_ char *beside = strndup(reference->linked_path, length), *directory = NULL;
    if (!beside)
        return -ENOMEM;
    switch (which) {
    case 0: { /* as the compiler said; a relative compilation directory is the linked file's */
        int error = path_join(beside, reference->directory, &directory);
        return error ? error : path_join(directory, reference->name, ret_path);
    }
    case 1:
        return path_join(beside, reference->name, ret_path);
    default:
        return path_join(beside, path_basename(reference->name), ret_path);
    }
}

#define CANDIDATES 3

static int find_file(struct split_search *search, const struct split_reference *reference,
                     struct split_unit **ret_unit, char **ret_first)
{
    bool stale = false;
    for (size_t i = 0; i < CANDIDATES; i++) {
        _cleanup_free_ char *path = NULL;
        int error = candidate(reference, i, &path);
        if (error == -ENOMEM)
            return error;
        if (error)
            continue;
        error = try_path(search, reference, path, ret_unit);
        if (error == 0 || error == -ENOMEM)
            return error;
        stale |= error == -ESTALE;
        if (i == 0)
            *ret_first = take_pointer(path);
    }
    return stale ? -ESTALE : -ENOENT;
}

int split_search_find(struct split_search *search, const struct split_reference *reference,
                      struct split_unit **ret_unit)
{
    _cleanup_free_ char *first = NULL;
    *ret_unit = NULL;
    int error = find_in_package(search, reference, ret_unit);
    if (error && error != -ENOMEM)
        error = find_file(search, reference, ret_unit, &first);
    if (error == 0 || error == -ENOMEM)
        return error;
    search->stale |= error == -ESTALE;
    search->missing |= error != -ESTALE;
    if (!search->first)
        search->first = take_pointer(first);
    return 0;
}

size_t split_search_bytes(const struct split_search *search)
{
    return split_file_bytes(search->package);
}

void split_search_forget(struct split_search *search)
{
    split_file_free(search->package);
    search->package = NULL;
    search->package_sought = false;
}

char *split_search_problem(const struct split_search *search)
{
    char *text = NULL;
    const char *state = !search->missing ? "of another build"
                        : search->stale  ? "missing or of another build"
                                         : "missing";
    if (!search->missing && !search->stale)
        return NULL;
    int length = asprintf(&text, "split debug files are %s (%s): what was inlined is not shown",
                          state, search->first ? search->first : "?");
    return length < 0 ? NULL : text;
}

void split_search_free(struct split_search *search)
{
    split_search_forget(search);
    free(search->first);
    *search = (struct split_search){0};
}
