/* Joins and normalises source paths without looking at the file system. */
#include "symbol/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Steps back over the last component of out[0..length), unless it is ".." or there is none. */
static bool drop_component(const char *out, size_t *length, size_t root)
{
    size_t end = *length;
    if (end == root)
        return root > 0;
    size_t start = end;
    while (start > root && out[start - 1] != '/')
        start--;
    if (end - start == 2 && out[start] == '.' && out[start + 1] == '.')
        return false;
    *length = start > root ? start - 1 : root;
    return true;
}

static void add_component(char *out, size_t *length, size_t root, const char *name, size_t bytes,
                          bool keep_parents)
{
    if (bytes == 0 || (bytes == 1 && name[0] == '.'))
        return;
    if (bytes == 2 && name[0] == '.' && name[1] == '.' && !keep_parents &&
        drop_component(out, length, root))
        return;
    if (*length > root)
        out[(*length)++] = '/';
    memmove(out + *length, name, bytes);
    *length += bytes;
}

/* In place: what is written never overtakes what is read. */
static void simplify(char *path, bool keep_parents)
{
    size_t root = path[0] == '/' ? 1 : 0, length = root;
    const char *cursor = path + root;
    while (*cursor) {
        size_t bytes = strcspn(cursor, "/");
        const char *next = cursor + bytes + (cursor[bytes] == '/');
        add_component(path, &length, root, cursor, bytes, keep_parents);
        cursor = next;
    }
    path[length] = '\0';
}

int path_append(const char *directory, const char *path, char **ret_path)
{
    bool joined = path[0] != '/' && directory && directory[0];
    size_t directory_bytes = joined ? strnlen(directory, PATH_BYTES_MAX) : 0;
    size_t path_bytes = strnlen(path, PATH_BYTES_MAX);
    if (directory_bytes + path_bytes + 2 > PATH_BYTES_MAX)
        return -ENAMETOOLONG;

    char *text = malloc(directory_bytes + path_bytes + 2);
    if (!text)
        return -ENOMEM;
    if (joined) {
        memcpy(text, directory, directory_bytes);
        text[directory_bytes++] = '/';
    }
    memcpy(text + directory_bytes, path, path_bytes);
    text[directory_bytes + path_bytes] = '\0';
    simplify(text, true);
    *ret_path = text;
    return 0;
}

void path_normalise(char *path)
{
    simplify(path, false);
}

int path_join(const char *directory, const char *path, char **ret_path)
{
    int error = path_append(directory, path, ret_path);
    if (!error)
        path_normalise(*ret_path);
    return error;
}

const char *path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t path_directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}
