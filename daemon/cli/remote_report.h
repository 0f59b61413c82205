/* The text report of a session in a running lprofd or in a file, by the REST interface. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/failure.h"
#include "lprofd/session.h"

struct remote_report {
    const char *origin;                /* a URL, or the name of the file that was loaded */
    struct session_registry *registry; /* what was loaded; NULL: origin is a URL */
    const char *token;                 /* NULL: none */
    uint32_t session;                  /* 0: the newest */
    bool functions;                    /* instead of lines */
    const char *source; /* the listing of the file whose path ends like this; NULL: a table */
    bool by_total;      /* sort by total */
    bool self;          /* the listing shows self times */
    uint32_t limit;     /* rows */
};

/* -ENOENT when there is no such session or file, or the errors of client_get(). */
int remote_report_print(const struct remote_report *report, FILE *out, struct failure *ret_failure);
