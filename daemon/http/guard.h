/* The guard: which requests are served at all. Browsers run scripts of strangers. */
#pragma once

#include <stdbool.h>

#include "http/listen.h"
#include "http/request.h"

#define GUARD_HOSTS_MAX (2 * LISTEN_MAX + 4)
#define GUARD_HOST_BYTES (LISTEN_NAME_BYTES + 8)
#define GUARD_TOKEN_MIN_BYTES 16
#define GUARD_TOKEN_MAX_BYTES 512

struct guard {
    char hosts[GUARD_HOSTS_MAX][GUARD_HOST_BYTES]; /* what Host may say, lower case */
    size_t host_count;
    bool has_wildcard; /* Host may also be the address the connection came in by */
    uint16_t port;
    char *token; /* owned; NULL: none */
    char cookie[32];
};

/* 0, -EINVAL for a token that is too short or not a token (RFC 6750 b64token), or -ENOMEM. */
int guard_init(struct guard *guard, const struct listeners *listeners, const char *token,
               struct failure *ret_failure);
void guard_free(struct guard *guard);

/*
 * Checks Host (DNS rebinding), the token, and for whatever changes state Origin, Sec-Fetch-Site
 * (cross-site request forgery) and Content-Type. False when `reply` was made a problem.
 */
bool guard_admit(const struct guard *guard, const struct request *request, struct reply *reply);

/* True when there is a token and `token` is it; takes the same time for all of one length. */
bool guard_token_matches(const struct guard *guard, const char *token);
