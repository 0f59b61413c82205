/* The route table: which handler answers which method and path, and what it takes. */
#pragma once

#include "http/request.h"

/* Fills *reply. Returns 0, or -errno for what is not the client's fault. */
typedef int handler_fn(struct request *request, struct reply *reply);

/* How an answer is made, and by whom. */
enum answering {
    ANSWER_NEW,       /* each time */
    ANSWER_KEPT,      /* depends on the session's epoch and the request target alone: may be kept */
    ANSWER_AT_ONCE,   /* waits for nothing, whatever else goes on */
    ANSWER_CHANGED,   /* waits until a session is as it should be */
    ANSWER_ONE_BY_ONE /* waits until a process is attached to; no two such at the same time */
};

struct route {
    enum method method; /* a GET route answers HEAD too */
    const char *path;   /* segments {id} and {file} are numbers ({id} may be "current") */
    handler_fn *handle;
    unsigned params; /* enum param bits */
    enum answering answering;
};

/* All routes, in no particular order. */
extern const struct route routes[];
extern const size_t route_count;

/*
 * Finds the route of request->path and fills request->route, ->session_id and ->file. False when
 * `reply` was made a 404, or a 405 with Allow.
 */
bool route_find(struct request *request, struct reply *reply);
