/* The token that requests must carry. */
#pragma once

#include "base/failure.h"

/* The first line of the file, for the caller to free. -EACCES when others may read the file. */
int token_read(const char *path, char **ret_token, struct failure *ret_failure);
