/* A reply: what a handler answers, before it is turned into HTTP. */
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "http/blob.h"

#define REPLY_HEADERS_MAX 8

struct reply_header {
    const char *name; /* constant */
    char value[640];
};

struct reply {
    unsigned status;             /* HTTP status; 0: not answered yet */
    const char *content_type;    /* constant */
    struct blob *blob;           /* owned; the body, or NULL for none */
    bool no_store;               /* must not be kept by any cache, not even with its entity tag */
    bool is_immutable;           /* its URL will never have another body: may be kept for ever */
    bool is_page;                /* HTML, scripts and styles: get the page's security policy */
    struct MHD_Response *stream; /* owned; instead of all else: a response that does not end */
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t header_count;
};

void reply_clear(struct reply *reply);

/* Adds a response header; control characters in the value become '?'. */
void reply_add_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Answers with application/problem+json (RFC 9457): `title` is the same for all problems of this
 * kind, the detail is about this request. Replaces whatever the reply was. Returns 0.
 */
int reply_problem(struct reply *reply, unsigned status, const char *title, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a member "reason": one word for programs. */
int reply_problem_reason(struct reply *reply, unsigned status, const char *title,
                         const char *reason, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Answers with a document and status 200 unless one is set. 0 or -ENOMEM. */
int reply_json(struct reply *reply, const cJSON *document);
/* Answers with text, which is taken. 0 or -ENOMEM. */
int reply_text(struct reply *reply, const char *content_type, struct text *text);

/* The standard phrase of a status, "Error" when there is none. */
const char *status_phrase(unsigned status);
