/* Where symbols are kept on disk unless an option says so. */
#include "cli/symbol_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_FOLDER "/lprofd"
#define ROOTS_FOLDER "/var/cache" OWN_FOLDER

/* An absolute path from the environment, which a set-id program must not trust. NULL: none. */
static const char *environment_path(const char *name)
{
    const char *path = secure_getenv(name);
    return path && path[0] == '/' ? path : NULL;
}

static char *join(const char *directory, size_t length, const char *rest)
{
    char *path;
    return asprintf(&path, "%.*s%s/symbols", (int)length, directory, rest) < 0 ? NULL : path;
}

char *symbol_cache_default(void)
{
    const char *service = environment_path("CACHE_DIRECTORY"); /* may be several: "A:B" */
    const char *cache = environment_path("XDG_CACHE_HOME");
    const char *home = environment_path("HOME");
    if (service)
        return join(service, strcspn(service, ":"), "");
    if (geteuid() == 0) /* whose home may be another user's: sudo(8) keeps the variable */
        return join(ROOTS_FOLDER, strlen(ROOTS_FOLDER), "");
    if (cache)
        return join(cache, strlen(cache), OWN_FOLDER);
    return home ? join(home, strlen(home), "/.cache" OWN_FOLDER) : NULL;
}
