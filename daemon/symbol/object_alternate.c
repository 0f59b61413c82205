/* The file that dwz moved what several modules share to, and what it costs when it is not there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "symbol/debug_file.h"
#include "symbol/object.h"

int object_find_alternate(const struct object *object, struct elf_reader **ret_file,
                          char **ret_problem)
{
    _cleanup_free_ char *path = NULL;
    *ret_file = NULL;
    *ret_problem = NULL;
    int error = debug_file_find_alternate(object->module->target, object_debug_reader(object),
                                          object_debug_path(object), ret_file, &path);
    if (error != -ENOENT && error != -ESTALE)
        return error == -ENODATA ? 0 : error;
    if (asprintf(ret_problem,
                 "the file that it shares debug information with others in (dwz) is %s (%s): names "
                 "of what was inlined are not shown",
                 error == -ESTALE ? "of another build" : "missing", path) < 0) {
        *ret_problem = NULL;
        return -ENOMEM;
    }
    return 0;
}

void object_set_alternate_problem(struct object *object, char *problem)
{
    free(object->alternate_problem);
    object->alternate_problem = problem;
}
