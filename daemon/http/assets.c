/* The web page and the OpenAPI document. */
#include "http/assets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/handlers.h"
#include "http/server_state.h"

#define ASSET_MAX_BYTES (8u << 20)
#define HASH_DIGITS 8

struct assets {
    size_t count;
    struct blob *blobs[]; /* owned, as embedded_assets */
};

static int inflate_asset(const struct embedded_asset *embedded, struct blob **ret_blob)
{
    struct text text = {0};
    struct text compressed = {0};
    struct blob *blob = NULL;
    struct blob *smaller = NULL;
    int error = blob_inflate(embedded->gzip, embedded->gzip_bytes, ASSET_MAX_BYTES, &text);
    if (!error)
        error = blob_new(&text, &blob);
    if (error)
        return error;
    text_add(&compressed, (const char *)embedded->gzip, embedded->gzip_bytes);
    error = blob_new(&compressed, &smaller);
    if (error) {
        blob_unref(blob);
        return error;
    }
    atomic_store(&blob->compressed, smaller);
    *ret_blob = blob;
    return 0;
}

int assets_new(struct assets **ret_assets)
{
    struct assets *assets =
        calloc(1, sizeof *assets + embedded_asset_count * sizeof assets->blobs[0]);
    if (!assets)
        return -ENOMEM;
    for (size_t i = 0; i < embedded_asset_count; i++) {
        int error = inflate_asset(&embedded_assets[i], &assets->blobs[i]);
        if (error) {
            assets_free(assets);
            return error;
        }
        assets->count++;
    }
    *ret_assets = assets;
    return 0;
}

void assets_free(struct assets *assets)
{
    for (size_t i = 0; assets && i < assets->count; i++)
        blob_unref(assets->blobs[i]);
    free(assets);
}

static const char *media_type(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".woff2", "font/woff2"},
        {".png", "image/png"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *suffix = strrchr(name, '.');
    for (size_t i = 0; suffix && i < array_length(types); i++)
        if (!strcmp(types[i].suffix, suffix))
            return types[i].type;
    return "application/octet-stream";
}

struct blob *assets_find(const struct assets *assets, const char *name, const char **ret_type)
{
    for (size_t i = 0; i < assets->count; i++)
        if (!strcmp(embedded_assets[i].name, name)) {
            *ret_type = media_type(name);
            return assets->blobs[i];
        }
    return NULL;
}

bool assets_name_has_hash(const char *name)
{
    const char *dash = strrchr(name, '-');
    return dash && strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == HASH_DIGITS &&
           dash[1 + HASH_DIGITS] == '.';
}

static int reply_asset(struct request *request, struct reply *reply, const char *name)
{
    struct blob *blob = assets_find(request->server->assets, name, &reply->content_type);
    if (!blob)
        return reply_problem(reply, MHD_HTTP_NOT_FOUND, NULL, "There is no asset '%.100s'.", name);
    reply->status = MHD_HTTP_OK;
    reply->blob = blob_ref(blob);
    reply->is_page = true;
    reply->is_immutable = assets_name_has_hash(name);
    return 0;
}

/* Turns the token of a link into a cookie, so that it stays neither in the URL nor in scripts. */
static int accept_token(struct request *request, struct reply *reply)
{
    const struct guard *guard = &request->server->guard;
    if (guard->token && !guard_token_matches(guard, request->params.token))
        return reply_problem(reply, MHD_HTTP_UNAUTHORIZED, NULL, "This is not the token.");
    reply->status = MHD_HTTP_SEE_OTHER;
    reply->no_store = true;
    reply_add_header(reply, MHD_HTTP_HEADER_LOCATION, "/");
    if (guard->token)
        reply_add_header(reply, MHD_HTTP_HEADER_SET_COOKIE,
                         "%s=%s; HttpOnly; SameSite=Strict; Path=/", guard->cookie, guard->token);
    return 0;
}

int handle_asset(struct request *request, struct reply *reply)
{
    if (request->params.token)
        return accept_token(request, reply);
    return reply_asset(request, reply, request->rest ? request->rest : "index.html");
}

int handle_openapi(struct request *request, struct reply *reply)
{
    return reply_asset(request, reply, "openapi.json");
}
