/* From libmicrohttpd's callbacks to a handler and back. */
#pragma once

#include "http/request.h"

/* MHD_OPTION_URI_LOG_CALLBACK: begins a request, before its target is decoded. */
void *dispatch_begin(void *server, const char *target, struct MHD_Connection *connection);
/*
 * The access handler: checks as soon as the headers are there, hands over to a worker when the body
 * is, and answers when it is called again.
 */
enum MHD_Result dispatch_request(void *server, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload_data,
                                 size_t *upload_bytes, void **context);
/* A job_fn for requests that were handed over: makes the answer and wakes the connection. */
void dispatch_answer(struct job *job);
/* MHD_OPTION_NOTIFY_COMPLETED. */
void dispatch_end(void *server, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode why);
/* MHD_OPTION_UNESCAPE_CALLBACK: leaves everything as it was sent; params.c decodes, strictly. */
size_t dispatch_keep_escaped(void *server, struct MHD_Connection *connection, char *text);
