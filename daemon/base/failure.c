/* One line for a person. */
#include "base/failure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whatever met it, the remedy is the same. */
static const char *remedy(int error)
{
    if (error == -EMFILE)
        return "; raise `ulimit -n`";
    return error == -ENFILE ? "; raise sysctl fs.file-max" : "";
}

int failure_set(struct failure *failure, int error, const char *format, ...)
{
    if (!failure)
        return error;
    va_list arguments;
    va_start(arguments, format);
    failure->error = error;
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(failure->text);
    snprintf(failure->text + length, sizeof failure->text - length, "%s", remedy(error));
    return error;
}

int failure_exit_code(const struct failure *failure)
{
    return failure->error == -EPERM || failure->error == -EACCES ? EXIT_NOT_PERMITTED
                                                                 : EXIT_FAILURE;
}
