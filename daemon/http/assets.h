/* The web page and the OpenAPI document: compressed into the program when it was built. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http/blob.h"

/* Written by cmake/embed.cmake. */
struct embedded_asset {
    const char *name;
    const unsigned char *gzip;
    size_t gzip_bytes;
};
extern const struct embedded_asset embedded_assets[];
extern const size_t embedded_asset_count;

struct assets;

/* Inflates them for clients that do not take gzip. 0, -EINVAL or -ENOMEM. */
int assets_new(struct assets **ret_assets);
void assets_free(struct assets *assets);

/* The asset by file name, borrowed, with its media type; NULL: there is none. */
struct blob *assets_find(const struct assets *assets, const char *name, const char **ret_type);

/*
 * True for "main-ABCD2345.js": a name with a hash of the content, as esbuild makes it (8 digits of
 * base32), never gets other content.
 */
bool assets_name_has_hash(const char *name);
