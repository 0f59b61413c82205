/* The text report of a comparison of sessions in a running lprofd, or of two files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/origin.h"

struct remote_diff {
    /*
     * Sessions of one lprofd: "http://HOST[:PORT][/api/v1/sessions/ID][?from_ns=...&to_ns=...]";
     * without an id the newest. tid and focus may be given too. Or two files.
     */
    const char *urls[2];
    const struct origin *origin; /* where they are; borrowed */
    bool functions;              /* instead of lines */
    bool by_total;               /* compares the shares with callees */
    uint32_t limit;
};

/* 0; -EINVAL when the URLs cannot be compared; others as origin_get(). *ret_failure says why. */
int remote_diff_print(const struct remote_diff *diff, FILE *out, struct failure *ret_failure);
