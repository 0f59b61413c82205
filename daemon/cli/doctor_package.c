/* Which Debian package installed a file: from dpkg's lists, without running dpkg. */
#include "cli/doctor_finding.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DPKG_LISTS "/var/lib/dpkg/info"

/* A whole line of the list is the path. */
static bool has_line(const char *text, size_t length, const char *path)
{
    size_t wanted = strlen(path);
    const char *end = text + length;
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), path, wanted)); at += wanted)
        if ((at == text || at[-1] == '\n') && (at + wanted == end || at[wanted] == '\n'))
            return true;
    return false;
}

static bool list_has_path(int directory_fd, const char *name, const char *path)
{
    _cleanup_close_ int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0)
        return false;
    size_t length = (size_t)status.st_size;
    char *text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        return false;
    /* With /bin being a link to /usr/bin, the list may have either name. */
    bool found = has_line(text, length, path) ||
                 (strncmp(path, "/usr/", 5) == 0 && has_line(text, length, path + 4));
    munmap(text, length);
    return found;
}

char *package_of_file(const char *path)
{
    _cleanup_directory_ DIR *directory = opendir(DPKG_LISTS);
    if (!directory)
        return NULL;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length <= 5 || strcmp(entry->d_name + length - 5, ".list") != 0)
            continue;
        if (list_has_path(dirfd(directory), entry->d_name, path))
            return strndup(entry->d_name, strcspn(entry->d_name, ":") < length - 5
                                              ? strcspn(entry->d_name, ":")
                                              : length - 5); /* "libc6:amd64.list" */
    }
    return NULL;
}
