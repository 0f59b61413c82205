/* Finding and opening the source files that a profiled module's debug information names. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "session/fetched.h"

/* A symbols_file() copied out of the lock. */
struct source_name {
    char path[PATH_MAX];  /* absolute if its directory is known */
    char named[PATH_MAX]; /* the same with its ".." */
    uint32_t module;
    bool has_md5;
    unsigned char md5[MD5_BYTES];
};

static int find_name(const struct session *session, uint32_t file, struct source_name *ret_name)
{
    int error = -ENOENT;
    symbols_lock_shared(session->symbols);
    if (file > 0 && file < symbols_file_count(session->symbols)) {
        struct symbol_file known = symbols_file(session->symbols, file);
        int length = snprintf(ret_name->path, PATH_MAX, "%s", known.path);
        if (snprintf(ret_name->named, PATH_MAX, "%s", known.named) >= PATH_MAX)
            length = PATH_MAX;
        ret_name->module = known.module;
        ret_name->has_md5 = known.has_md5;
        memcpy(ret_name->md5, known.md5, MD5_BYTES);
        error = length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
    }
    symbols_unlock(session->symbols);
    return error;
}

int session_source_path(const struct session *session, uint32_t file, char **ret_path)
{
    struct source_name name;
    int error = find_name(session, file, &name);
    if (!error)
        *ret_path = strdup(name.path);
    return error || *ret_path ? error : -ENOMEM;
}

/* Below NEW, tries the longest tail of `path` first: NEW/usr/src/a.c, NEW/src/a.c, NEW/a.c. */
static int open_by_tail(const char *directory, const char *path, int *ret_fd)
{
    int error = -ENOENT;
    for (const char *tail = path; tail && error; tail = strchr(tail, '/')) {
        while (*tail == '/')
            tail++;
        error = privilege_open_beneath(directory, tail, ret_fd);
    }
    return error;
}

/* What is left of `path` below `old`, "" when it is the same; NULL when it is not there. */
static const char *tail_below(const char *path, const char *old)
{
    /* Relative names are shown without the "./" that a compiler was told to put there. */
    if (path[0] != '/' && old[0] == '.' && (old[1] == '/' || !old[1]))
        old += 1 + (old[1] == '/');
    size_t length = strlen(old);
    if (strncmp(path, old, length) != 0)
        return NULL;
    bool is_whole = length == 0 || old[length - 1] == '/' || path[length] == '/' || !path[length];
    return is_whole ? path + length + strspn(path + length, "/") : NULL;
}

/* --source-path: the person who started lprofd says where sources are. */
static int open_mapped(const struct session *session, const char *path, int *ret_fd)
{
    int error = -ENOENT;
    for (size_t i = 0; i < session->source_path_count && error; i++) {
        const struct source_path *mapped = &session->source_paths[i];
        const char *tail = tail_below(path, mapped->old_prefix);
        if (!mapped->old_prefix[0])
            error = open_by_tail(mapped->new_prefix, path, ret_fd);
        else if (tail)
            error = tail[0] ? privilege_open_beneath(mapped->new_prefix, tail, ret_fd)
                            : privilege_open_own(mapped->new_prefix, ret_fd);
    }
    return error;
}

/* Without a sum: a source that was changed after its module was built no longer shows what runs. */
static bool is_newer(const struct session *session, const struct stat *source, uint32_t module_id)
{
    struct stat built;
    const struct module *module = module_table_get(session->modules, module_id);
    return module->fd >= 0 && fstat(module->fd, &built) == 0 &&
           source->st_mtim.tv_sec > built.st_mtim.tv_sec;
}

/* The copy that a debuginfod server gave; -EINPROGRESS while it is on its way. */
static int open_fetched(const struct session *session, const struct source_name *name, int *ret_fd)
{
    _cleanup_free_ char *path = NULL;
    const struct module *module = module_table_get(session->modules, name->module);
    switch (fetcher_source(session->fetcher, module, name->path, &path)) {
    case FETCH_QUEUED:
    case FETCH_RUNNING:
        return -EINPROGRESS;
    case FETCH_DONE:
        return path ? privilege_open_own(path, ret_fd) : -ENOMEM;
    default:
        return -ENOENT;
    }
}

/* Where the last ".." of a path begins; NULL when there is none. */
static char *last_parent(char *path)
{
    char *last = NULL;
    for (char *next = path; (next = strstr(next, "/../")); next++)
        last = next;
    return last;
}

/*
 * Whoever runs a program may have it name what only others can read. A ".." leads out of where a
 * symbolic link points to; only where nothing is left to step out of (a build folder goes, its
 * sources stay) is it taken for the text that it is.
 */
static int open_named(const struct session *session, struct source_name *name, int *ret_fd)
{
    const struct module *module = module_table_get(session->modules, name->module);
    if (!module->target)
        return -EACCES;
    int error = privilege_open_in_target(module->target, name->named, ret_fd);
    char *parent = error == -ENOENT ? last_parent(name->named) : NULL;
    if (!parent)
        return error;
    _cleanup_close_ int fd = -1;
    *parent = '\0';
    if (privilege_open_in_target(module->target, name->named, &fd) != -ENOENT)
        return error;
    return privilege_open_in_target(module->target, name->path, ret_fd);
}

/* *ret_fetched: it is the very source of this build, whatever its times say. */
static int open_source(const struct session *session, struct source_name *name, int *ret_fd,
                       bool *ret_fetched)
{
    *ret_fetched = false;
    int error = open_mapped(session, name->path, ret_fd);
    if (session->saved) /* no path that a file names is opened, but below what a person named */
        return error;
    /* A relative name (reproducible builds leave them) can only be found by --source-path. */
    if (error && name->path[0] == '/')
        error = open_named(session, name, ret_fd);
    if (error != -ENOENT || !session->fetcher)
        return error;
    error = open_fetched(session, name, ret_fd);
    *ret_fetched = !error;
    return error;
}

int session_find_source(struct session *session, uint32_t file, int *ret_fd, bool *ret_stale)
{
    struct source_name name;
    _cleanup_close_ int fd = -1;
    struct stat source;
    bool fetched;
    int error = find_name(session, file, &name);
    if (!error)
        error = open_source(session, &name, &fd, &fetched);
    if (error && session->saved)
        return session_open_saved_source(session, file, ret_fd, ret_stale);
    if (error)
        return error;
    if (fstat(fd, &source) < 0)
        return -errno;
    if (source.st_size > SESSION_SOURCE_MAX_BYTES)
        return -EFBIG;
    bool stale = !fetched && is_newer(session, &source, name.module);
    if (name.has_md5)
        error = source_check(&session->source_checks, file, fd, &source, name.md5, &stale);
    if (error)
        return error;
    *ret_stale = stale;
    *ret_fd = take_fd(&fd);
    return 0;
}

int session_fetch_source(struct session *session, uint32_t file)
{
    struct source_name name;
    double percent;
    int error = find_name(session, file, &name);
    if (error || !session->fetcher || name.path[0] != '/')
        return error ? error : -ENOENT;
    const struct module *module = module_table_get(session->modules, name.module);
    pthread_mutex_lock(&session->mutex);
    bool matters = session_module_matters(session, name.module, &percent);
    pthread_mutex_unlock(&session->mutex);
    if (!matters)
        return -ENOENT;
    enum fetch_state state = fetcher_want_source(session->fetcher, module, name.path);
    return state == FETCH_NONE || state == FETCH_FAILED ? -ENOENT : -EINPROGRESS;
}
