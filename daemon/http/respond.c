/* From a reply to an HTTP response. */
#include "http/respond.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define COMPRESS_FROM_BYTES 1024
#define ETAG_BYTES 48

#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; " \
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action "      \
    "'none'; frame-ancestors 'none'"
#define DATA_POLICY "default-src 'none'; frame-ancestors 'none'"

/* The weight of one element "gzip;q=0.5": false when it is zero (RFC 9110, 12.4.2). */
static bool has_weight(const char *parameters, size_t length)
{
    const char *end = parameters + length, *weight = parameters;
    while (weight < end && (*weight | 0x20) != 'q') /* the only parameter that there is */
        weight++;
    if (weight == end)
        return true;
    for (; weight < end; weight++)
        if (*weight >= '1' && *weight <= '9')
            return true;
    return false;
}

bool accepts_gzip(const char *accept_encoding)
{
    bool any = false;
    for (const char *cursor = accept_encoding ? accept_encoding : ""; *cursor;) {
        cursor += strspn(cursor, ", \t");
        size_t element = strcspn(cursor, ",");
        size_t name = strcspn(cursor, ",; \t");
        bool wanted = has_weight(cursor + name, element - name);
        if ((name == 4 && !strncasecmp(cursor, "gzip", 4)) ||
            (name == 6 && !strncasecmp(cursor, "x-gzip", 6)))
            return wanted;
        any |= name == 1 && *cursor == '*' && wanted;
        cursor += element;
    }
    return any;
}

bool etag_matches(const char *if_none_match, const char *etag)
{
    size_t length = strlen(etag);
    for (const char *cursor = if_none_match ? if_none_match : ""; *cursor;) {
        cursor += strspn(cursor, ", \t");
        if (*cursor == '*')
            return true;
        if (!strncmp(cursor, "W/", 2))
            cursor += 2;
        size_t element = strcspn(cursor, ", \t");
        if (element == length && !memcmp(cursor, etag, length))
            return true;
        cursor += element;
    }
    return false;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

void respond_add_security_headers(struct MHD_Response *response, bool is_page)
{
    add_header(response, "Content-Security-Policy", is_page ? PAGE_POLICY : DATA_POLICY);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "Referrer-Policy", "no-referrer");
    add_header(response, "X-Frame-Options", "DENY");
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    add_header(response, "Cross-Origin-Opener-Policy", "same-origin");
}

static struct MHD_Response *create_response(struct blob *body)
{
    if (!body || !body->length)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->length, body->bytes, blob_unref_void, body);
    if (response)
        blob_ref(body);
    return response;
}

static void add_headers(struct MHD_Response *response, const struct reply *reply, bool compressed,
                        const char *etag)
{
    respond_add_security_headers(response, reply->is_page);
    if (reply->content_type)
        add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    if (compressed)
        add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (*etag)
        add_header(response, MHD_HTTP_HEADER_ETAG, etag);
    add_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
               reply->no_store       ? "no-store"
               : reply->is_immutable ? "public, max-age=31536000, immutable"
                                     : "private, no-cache");
    for (size_t i = 0; i < reply->header_count; i++)
        add_header(response, reply->headers[i].name, reply->headers[i].value);
}

/* The body that is sent compressed, or NULL. */
static struct blob *compressed_body(const struct request *request, const struct reply *reply)
{
    struct blob *body = reply->blob;
    return body && body->length >= COMPRESS_FROM_BYTES &&
                   accepts_gzip(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING))
               ? blob_compressed(body)
               : NULL;
}

void respond_prepare(const struct request *request, const struct reply *reply)
{
    (void)compressed_body(request, reply);
}

enum MHD_Result respond(const struct request *request, const struct reply *reply)
{
    if (reply->stream)
        return MHD_queue_response(request->connection, reply->status, reply->stream);
    struct blob *body = reply->blob;
    bool is_ok = reply->status == MHD_HTTP_OK;
    bool compressed = compressed_body(request, reply) != NULL;
    /* A strong tag belongs to the bytes that are sent, so each encoding has its own. */
    char etag[ETAG_BYTES] = "";
    if (is_ok && body && !reply->no_store && request->method == METHOD_GET)
        snprintf(etag, sizeof etag, "\"%016" PRIx64 "%s\"", body->hash, compressed ? "-gzip" : "");
    unsigned status = reply->status;
    if (*etag && etag_matches(request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH), etag)) {
        status = MHD_HTTP_NOT_MODIFIED;
        body = NULL;
    }
    struct MHD_Response *response =
        create_response(compressed && body ? blob_compressed(body) : body);
    if (!response)
        return MHD_NO;
    add_headers(response, reply, compressed && body, etag);
    enum MHD_Result result = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response);
    return result;
}
