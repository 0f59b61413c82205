/* Where reports come from: a running lprofd, or saved profiles; both answer the REST interface. */
#pragma once

#include <cjson/cJSON.h>

#include "base/failure.h"
#include "base/text.h"
#include "lprofd/session.h"

struct origin {
    const char *name;                  /* a URL, or a file; borrowed */
    const char *token;                 /* for the URL; NULL: none; borrowed */
    struct session_registry *registry; /* owned; the sessions of the files, from 1; NULL: a URL */
};

/*
 * Files are read, URLs are only remembered: the first stands for all. The `count` names are all
 * URLs, or all files. 0, or as session_load().
 */
int origin_open(char *const *names, size_t count, const struct session_options *options,
                struct origin *ret_origin, struct failure *ret_failure);
void origin_close(struct origin *origin);

#define _cleanup_origin_ __attribute__((cleanup(origin_close)))

/* Appends the answer to GET `path` ("/api/v1/..."). As client_get(). */
int origin_get(const struct origin *origin, const char *path, struct text *to,
               struct failure *ret_failure);
/* The same of an answer that is JSON. */
int origin_get_json(const struct origin *origin, const char *path, cJSON **ret_document,
                    struct failure *ret_failure);
