/* Reading /proc/PID/maps. */
#include "process/maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "process/proc_text.h"

typedef bool kind_fn(const char *permissions, const struct record_mapping *mapping);

static bool is_executable(const char *permissions, const struct record_mapping *mapping)
{
    (void)mapping;
    return permissions[2] == 'x';
}

static bool is_anonymous(const char *permissions, const struct record_mapping *mapping)
{
    return permissions[0] == 'r' && permissions[1] == 'w' && mapping->inode == 0 &&
           mapping->device_major == 0 && mapping->device_minor == 0;
}

/* Parses "start-end perms offset major:minor inode   path" and says whether it is of that kind. */
static bool parse_line(const char *line, kind_fn *is_of_kind, struct record_mapping *ret_mapping)
{
    uint64_t end = 0;
    char permissions[5] = "";
    int path = 0;
    struct record_mapping mapping = {0};
    int fields = sscanf(
        line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %" SCNx64 ":%" SCNx64 " %" SCNu64 " %n",
        &mapping.start, &end, permissions, &mapping.file_offset, &mapping.device_major,
        &mapping.device_minor, &mapping.inode, &path);
    if (fields < 7 || path == 0 || end <= mapping.start || !is_of_kind(permissions, &mapping))
        return false;
    mapping.length = end - mapping.start;
    mapping.path = line + path;
    *ret_mapping = mapping;
    return true;
}

static int parse(char *text, kind_fn *is_of_kind, maps_fn *on_mapping, void *user)
{
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        struct record_mapping mapping;
        if (!parse_line(line, is_of_kind, &mapping))
            continue;
        int error = on_mapping(user, &mapping);
        if (error)
            return error;
    }
    return 0;
}

static int read_kind(pid_t pid, kind_fn *is_of_kind, maps_fn *on_mapping, void *user)
{
    _cleanup_free_ char *text = NULL;
    int error = proc_read_text(pid, 0, PROC_MAPS, &text, NULL);
    return error ? error : parse(text, is_of_kind, on_mapping, user);
}

int maps_parse(char *text, maps_fn *on_mapping, void *user)
{
    return parse(text, is_executable, on_mapping, user);
}

int maps_read(pid_t pid, maps_fn *on_mapping, void *user)
{
    return read_kind(pid, is_executable, on_mapping, user);
}

int maps_read_anonymous(pid_t pid, maps_fn *on_mapping, void *user)
{
    return read_kind(pid, is_anonymous, on_mapping, user);
}
