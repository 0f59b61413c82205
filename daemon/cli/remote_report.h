/* The text report of a session in a running lprofd or in a file, by the REST interface. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/origin.h"

struct remote_report {
    const struct origin *origin; /* borrowed */
    uint32_t session;            /* 0: the newest */
    bool functions;              /* instead of lines */
    bool lines;                  /* nothing but lines, even where there are few */
    const char *source; /* the listing of the file whose path ends like this; NULL: a table */
    bool by_total;      /* sort by total */
    bool self;          /* the listing shows self times */
    uint32_t limit;     /* rows */
};

/* -ENOENT when there is no such session or file, or the errors of origin_get(). */
int remote_report_print(const struct remote_report *report, FILE *out, struct failure *ret_failure);
