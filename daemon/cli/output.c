/* The end of what is written to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

int output_finish(FILE *out, struct failure *ret_failure)
{
    bool failed_before = ferror(out);
    errno = 0;
    if (fflush(out) == 0 && !failed_before)
        return 0;
    int error = errno ? -errno : -EIO; /* a failure of an earlier write has no number any more */
    return failure_set(ret_failure, error, "not all of the output could be written%s%s",
                       errno ? ": " : "", errno ? strerror(-error) : "");
}
