/* From a reply to an HTTP response: entity tags, compression and the headers that protect. */
#pragma once

#include "http/request.h"

/* Queues the reply on the request's connection. */
enum MHD_Result respond(const struct request *request, const struct reply *reply);
/* Does beforehand what takes time: compression. */
void respond_prepare(const struct request *request, const struct reply *reply);

/* The security headers that every response carries, streams included. */
void respond_add_security_headers(struct MHD_Response *response, bool is_page);

/* True when Accept-Encoding (RFC 9110 section 12.5.3) admits gzip. */
bool accepts_gzip(const char *accept_encoding);
/* True when If-None-Match (RFC 9110 section 13.1.2) names the tag (with its quotes) or is "*". */
bool etag_matches(const char *if_none_match, const char *etag);
