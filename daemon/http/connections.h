/*
 * The open connections: how many may be served at once, and how long each may take. libmicrohttpd
 * closes connections on which nothing moves at all; those that move a byte now and then end here,
 * and those whose clients left without its noticing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

struct connections;
struct connection; /* one of them; lives until libmicrohttpd has told of its end */

/* `limit`: connections beyond so many are told to come back later. Starts a thread. 0 or -errno. */
int connections_new(size_t limit, struct connections **ret_connections);
/* When all daemons that tell of connections have stopped. NULL is harmless. */
void connections_free(struct connections *connections);

/* MHD_OPTION_NOTIFY_CONNECTION; `user` are the connections. */
void connections_notify(void *user, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code);

/*
 * Keeps what is to be dropped when the connection ends, or when there is something else to keep;
 * NULL for nothing. libmicrohttpd tells of the end of each connection, but not of each request.
 */
void connection_keep(struct connection *connection, void *kept, void (*drop)(void *kept));

/* NULL without memory for it: then it is one too many. */
struct connection *connections_find(struct MHD_Connection *mhd);

/* True when the connection was opened beyond the limit. */
bool connection_is_refused(const struct connection *connection);
/* True while too much of answers waits to be read. */
bool connections_are_full(const struct connections *connections);

/* What the connection does now; it receives at first. `connection` may be NULL. */
void connection_receives(struct connection *connection);
void connection_answers(struct connection *connection, size_t bytes);
void connection_waits(struct connection *connection); /* for us, as long as that takes */
