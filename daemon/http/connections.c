/* The open connections, and the thread that ends those that take too long. */
#include "http/connections.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define RECEIVING_MAX_NS (60 * NS_PER_SECOND)
#define ANSWERING_MAX_NS (300 * NS_PER_SECOND)
#define SWEEP_INTERVAL_NS NS_PER_SECOND
#define FULL_SWEEP_INTERVAL_NS (NS_PER_SECOND / 10) /* while others wait for a place */
/* Answers that are made and not yet read, of all clients together. */
#define ANSWER_BYTES_MAX ((size_t)256 << 20)

struct connection {
    struct connections *owner;
    struct connection *next, *previous;
    int fd; /* borrowed from libmicrohttpd */
    bool beyond_limit;
    uint64_t since_ns, limit_ns; /* what it does now began then and may take so long; 0: for ever */
    size_t answer_bytes;
    void *kept; /* owned; of the thread that serves the connection alone */
    void (*drop)(void *kept);
};

struct connections {
    pthread_t sweeper;
    bool sweeper_runs;
    pthread_mutex_t lock; /* guards what follows, and what is in each connection */
    pthread_cond_t wake;
    bool stopping;
    struct connection *first;
    size_t count, limit;
    _Atomic(size_t) answer_bytes;
};

/* True when the client has closed it, or its half: nothing more will come. */
static bool is_hung_up(const struct connection *connection)
{
    struct pollfd polled = {.fd = connection->fd, .events = POLLRDHUP};
    return poll(&polled, 1, 0) == 1;
}

/*
 * libmicrohttpd sees the end of a connection and closes it. But where the client's last bytes and
 * its end come at once, it reads the bytes alone, and its edge-triggered epoll does not tell of the
 * end again: clients that waited for a place and left would keep it until the idle timeout.
 * Shutting down what the client has ended already wakes epoll, and takes nothing away: bytes that
 * are not read yet stay readable, and an answer can be sent still.
 */
static void end_overdue(struct connections *connections)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (struct connection *one = connections->first; one; one = one->next) {
        if (one->limit_ns && now_ns - one->since_ns > one->limit_ns)
            shutdown(one->fd, SHUT_RDWR);
        else if (one->limit_ns == RECEIVING_MAX_NS && is_hung_up(one))
            shutdown(one->fd, SHUT_RD);
    }
}

static void *sweep(void *user)
{
    struct connections *connections = user;
    pthread_mutex_lock(&connections->lock);
    while (!connections->stopping) {
        bool is_full = connections->count > connections->limit;
        struct timespec until =
            clock_deadline(is_full ? FULL_SWEEP_INTERVAL_NS : SWEEP_INTERVAL_NS);
        if (connections->first)
            pthread_cond_timedwait(&connections->wake, &connections->lock, &until);
        else
            pthread_cond_wait(&connections->wake, &connections->lock);
        end_overdue(connections);
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

int connections_new(size_t limit, struct connections **ret_connections)
{
    struct connections *connections = calloc(1, sizeof *connections);
    if (!connections)
        return -ENOMEM;
    connections->limit = limit;
    pthread_mutex_init(&connections->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&connections->sweeper, NULL, sweep, connections);
    if (error) {
        connections_free(connections);
        return -error;
    }
    connections->sweeper_runs = true;
    *ret_connections = connections;
    return 0;
}

void connections_free(struct connections *connections)
{
    if (!connections)
        return;
    if (connections->sweeper_runs) {
        pthread_mutex_lock(&connections->lock);
        connections->stopping = true;
        pthread_cond_signal(&connections->wake);
        pthread_mutex_unlock(&connections->lock);
        pthread_join(connections->sweeper, NULL);
    }
    pthread_cond_destroy(&connections->wake);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

/* Needs the lock. */
static void set_activity(struct connection *connection, uint64_t limit_ns, size_t answer_bytes)
{
    connection->since_ns = clock_monotonic_ns();
    connection->limit_ns = limit_ns;
    atomic_fetch_add(&connection->owner->answer_bytes, answer_bytes - connection->answer_bytes);
    connection->answer_bytes = answer_bytes;
}

static void begin(struct connections *connections, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = info ? calloc(1, sizeof *connection) : NULL;
    *context = connection;
    if (!connection)
        return;
    connection->owner = connections;
    connection->fd = info->connect_fd;
    pthread_mutex_lock(&connections->lock);
    set_activity(connection, RECEIVING_MAX_NS, 0);
    connection->beyond_limit = ++connections->count > connections->limit;
    connection->next = connections->first;
    if (connection->next)
        connection->next->previous = connection;
    else
        pthread_cond_signal(&connections->wake);
    connections->first = connection;
    pthread_mutex_unlock(&connections->lock);
}

void connection_keep(struct connection *connection, void *kept, void (*drop)(void *kept))
{
    if (!connection)
        return;
    if (connection->kept)
        connection->drop(connection->kept);
    connection->kept = kept;
    connection->drop = drop;
}

static void end(struct connections *connections, struct connection *connection)
{
    connection_keep(connection, NULL, NULL);
    pthread_mutex_lock(&connections->lock);
    set_activity(connection, 0, 0);
    connections->count--;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connections->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&connections->lock);
    free(connection);
}

void connections_notify(void *user, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(user, mhd, context);
    else if (*context)
        end(user, *context);
}

struct connection *connections_find(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

bool connection_is_refused(const struct connection *connection)
{
    return !connection || connection->beyond_limit;
}

bool connections_are_full(const struct connections *connections)
{
    return atomic_load(&connections->answer_bytes) > ANSWER_BYTES_MAX;
}

static void change_activity(struct connection *connection, uint64_t limit_ns, size_t answer_bytes)
{
    if (!connection)
        return;
    pthread_mutex_lock(&connection->owner->lock);
    set_activity(connection, limit_ns, answer_bytes);
    pthread_mutex_unlock(&connection->owner->lock);
}

void connection_receives(struct connection *connection)
{
    change_activity(connection, RECEIVING_MAX_NS, 0);
}

void connection_answers(struct connection *connection, size_t bytes)
{
    change_activity(connection, ANSWERING_MAX_NS, bytes);
}

void connection_waits(struct connection *connection)
{
    change_activity(connection, 0, 0);
}
