/* What is written to standard output must arrive, or the failure is told. */
#pragma once

#include <stdio.h>

#include "base/failure.h"

/* Flushes `out`. 0, or -errno with a line that says that not all of it could be written. */
int output_finish(FILE *out, struct failure *ret_failure);
