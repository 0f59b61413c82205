/*
 * The symbol thread: names of new locations at once, then lines module by module, hottest first,
 * off the sampling path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "session/fetched.h"
#include "session/kept_sources.h"

/* How long names that are told nowhere (of code compiled at run time) may stay unknown. */
#define POLL_NS (250 * NS_PER_MS)
#define LINES_AT_ONCE 32

/* The locations of one module that wait for something. */
struct pending {
    struct symbol_request *requests; /* owned */
    size_t count, capacity;
};

struct symbol_work {
    struct session *session; /* borrowed */
    struct pending *names;   /* owned; by module id */
    struct pending *lines;   /* owned; by module id */
    size_t module_count, names_capacity, lines_capacity, is_kept_capacity;
    uint32_t seen;         /* locations taken over */
    uint32_t known;        /* as many as it had when last looked at */
    uint32_t modules_seen; /* that were looked at for jitdumps */
    bool drained;          /* no more will come */
    bool *is_kept;         /* owned; by module id: earlier sessions knew lines of it */
    bool keeping;          /* lines are to be kept for later sessions */
    uint64_t rest_ns;      /* how long not to go on with that */
};

static int make_room(struct symbol_work *work, uint32_t module)
{
    size_t want = (size_t)module + 1;
    if (array_reserve(&work->names, &work->names_capacity, want, sizeof *work->names) ||
        array_reserve(&work->lines, &work->lines_capacity, want, sizeof *work->lines) ||
        array_reserve(&work->is_kept, &work->is_kept_capacity, want, sizeof *work->is_kept))
        return -1;
    for (; work->module_count < want; work->module_count++) {
        work->names[work->module_count] = (struct pending){0};
        work->lines[work->module_count] = (struct pending){0};
        work->is_kept[work->module_count] = false;
    }
    return 0;
}

static int pending_add(struct pending *pending, const struct symbol_request *requests, size_t count)
{
    if (count == 0)
        return 0;
    int error = array_reserve(&pending->requests, &pending->capacity, pending->count + count,
                              sizeof *requests);
    if (error)
        return error;
    memcpy(pending->requests + pending->count, requests, count * sizeof *requests);
    pending->count += count;
    return 0;
}

/* Takes new locations over. */
static void take_new(struct symbol_work *work)
{
    struct session *session = work->session;
    work->known = stack_locations_count(session->locations);
    for (; work->seen < work->known; work->seen++) {
        struct raw_frame frame = stack_locations_get(session->locations, work->seen);
        struct symbol_request request = {work->seen, frame.is_return_address, frame.vaddr};
        if (frame.module == 0)
            symbols_publish_name(session->symbols, work->seen,
                                 stack_end_name((enum stack_end)frame.vaddr));
        else if (make_room(work, frame.module) ||
                 pending_add(&work->names[frame.module], &request, 1))
            break; /* out of memory: try again later */
    }
}

/*
 * The module with the most samples that waits for lines; 0 when none does. One of which most was
 * known from the start is large, and can wait for the rest.
 */
static uint32_t hottest_module(struct symbol_work *work)
{
    struct session *session = work->session;
    uint32_t best = 0;
    uint64_t best_worth = 0;
    pthread_mutex_lock(&session->mutex);
    for (size_t id = 1; id < work->module_count; id++) {
        uint64_t hits =
            id < session->published.module_count ? session->published.module_hits[id].innermost : 0;
        uint64_t worth = work->is_kept[id] ? 0 : hits;
        if (work->lines[id].count && (!best || worth > best_worth)) {
            best = (uint32_t)id;
            best_worth = worth;
        }
    }
    pthread_mutex_unlock(&session->mutex);
    return best;
}

/* How many names are unknown; *ret_lacks_debug: and some lines cannot be known. */
static uint64_t count_unresolved(struct session *session, const struct pending *pending,
                                 bool *ret_lacks_debug)
{
    uint64_t unresolved = 0;
    *ret_lacks_debug = false;
    symbols_lock_shared(session->symbols);
    for (size_t i = 0; i < pending->count; i++) {
        struct frame_span span = symbols_frames(session->symbols, pending->requests[i].location);
        *ret_lacks_debug |= span.status == SYMBOL_NO_DEBUG_INFO;
        unresolved += span.count == 0 ||
                      symbols_function(session->symbols, span.frames[0].function).name[0] == '[';
    }
    symbols_unlock(session->symbols);
    return unresolved;
}

/* Takes over the text, which may be NULL. Needs the mutex. */
static void note_problem(struct session *session, uint32_t module, char *problem)
{
    if (array_reserve(&session->module_problems, &session->module_problem_capacity,
                      (size_t)module + 1, sizeof *session->module_problems)) {
        free(problem);
        return;
    }
    while (session->module_problem_count <= module)
        session->module_problems[session->module_problem_count++] = NULL;
    free(session->module_problems[module]);
    session->module_problems[module] = problem;
}

/* What the warnings need to know: names that stayed unknown, and modules without debug info. */
static void note_results(struct symbol_work *work, uint32_t module, const struct pending *pending)
{
    struct session *session = work->session;
    bool lacks_debug;
    uint64_t unresolved = count_unresolved(session, pending, &lacks_debug);
    char *problem = symbols_problem(session->symbols, module_table_get(session->modules, module));

    pthread_mutex_lock(&session->mutex);
    note_problem(session, module, problem);
    session->unresolved_frames += unresolved;
    if (lacks_debug && !array_reserve(&session->module_lacks_debug, &session->module_lacks_capacity,
                                      (size_t)module + 1, 1)) {
        while (session->module_lacks_count <= module)
            session->module_lacks_debug[session->module_lacks_count++] = 0;
        session->module_lacks_debug[module] = 1;
    }
    session->epoch++;
    pthread_mutex_unlock(&session->mutex);
}

/* Names, and lines that earlier sessions knew; the other lines have to wait. */
static void resolve_names_of(struct symbol_work *work, uint32_t id)
{
    struct pending *names = &work->names[id];
    struct symbols *symbols = work->session->symbols;
    const struct module *module = module_table_get(work->session->modules, id);
    size_t left;
    symbols_resolve_names(symbols, module, names->requests, names->count);
    symbols_resolve_kept_lines(symbols, module, names->requests, names->count, &left);
    if (pending_add(&work->lines[id], names->requests, left))
        return; /* out of memory: try again later */
    const struct pending done = {.requests = names->requests + left, .count = names->count - left};
    if (done.count) {
        work->is_kept[id] = true;
        note_results(work, id, &done);
    }
    names->count = 0;
}

static void resolve_names(struct symbol_work *work)
{
    for (size_t id = 1; id < work->module_count; id++)
        if (work->names[id].count)
            resolve_names_of(work, (uint32_t)id);
}

/* New code has at least a name while lines are looked up. */
static void name_new(void *user)
{
    struct symbol_work *work = user;
    take_new(work);
    resolve_names(work);
}

static void resolve_module(struct symbol_work *work, uint32_t id, const struct pending *lines)
{
    struct symbols *symbols = work->session->symbols;
    const struct module *module = module_table_get(work->session->modules, id);
    symbols_load_lines(symbols, module, lines->requests, lines->count, name_new, work);
    for (size_t done = 0; done < lines->count; done += LINES_AT_ONCE) {
        size_t left = lines->count - done;
        symbols_resolve_lines(symbols, module, lines->requests + done,
                              left < LINES_AT_ONCE ? left : LINES_AT_ONCE);
        name_new(work);
    }
    note_results(work, id, lines);
}

/* Resolves the lines of the module that matters most. Returns false when there was none. */
static bool resolve_lines(struct symbol_work *work)
{
    uint32_t id = hottest_module(work);
    if (id == 0)
        return false;
    struct pending lines = work->lines[id];
    work->lines[id] = (struct pending){0}; /* others come meanwhile */
    resolve_module(work, id, &lines);
    free(lines.requests);
    return true;
}

/* Needs the mutex. */
static void subtract_unresolved(struct session *session, uint64_t named)
{
    session->unresolved_frames -=
        named < session->unresolved_frames ? named : session->unresolved_frames;
}

/* Code that was compiled at run time gets its names when the target writes them. */
static void refresh(struct symbol_work *work, bool now)
{
    struct session *session = work->session;
    size_t named = 0;
    symbols_refresh(session->symbols, now, &named);
    pthread_mutex_lock(&session->mutex);
    if (!session->replaced)
        session->replaced = symbols_take_replaced(session->symbols);
    if (named) {
        subtract_unresolved(session, named);
        session->epoch++;
    }
    pthread_mutex_unlock(&session->mutex);
}

/* All that was resolved of a module waits again. 0 or -ENOMEM. */
static int resolve_again(struct symbol_work *work, uint32_t module)
{
    struct session *session = work->session;
    struct pending all = {0};
    int error = make_room(work, module) ? -ENOMEM : 0;
    for (uint32_t i = 0; i < work->seen && !error; i++) {
        struct raw_frame frame = stack_locations_get(session->locations, i);
        struct symbol_request request = {i, frame.is_return_address, frame.vaddr};
        if (frame.module == module)
            error = pending_add(&all, &request, 1);
    }
    if (!error)
        error = pending_add(&work->names[module], all.requests, all.count);
    if (!error) {
        bool lacks_debug;
        uint64_t unresolved = count_unresolved(session, &all, &lacks_debug);
        pthread_mutex_lock(&session->mutex);
        subtract_unresolved(session, unresolved);
        if (module < session->module_lacks_count)
            session->module_lacks_debug[module] = 0;
        pthread_mutex_unlock(&session->mutex);
    }
    free(all.requests);
    return error;
}

/* Debug files that have come from a server; their modules' lines can be known now. */
static void take_fetched(struct symbol_work *work)
{
    struct session *session = work->session;
    struct fetched_debug fetched;
    while (fetcher_take_debug_file(session->fetcher, &fetched)) {
        int error = symbols_add_debug_file(session->symbols, fetched.module, fetched.fd,
                                           fetched.alternate_fd);
        if (!error)
            error = resolve_again(work, fetched.module->id);
        if (error)
            fetcher_reject_debug_file(session->fetcher, fetched.module, error);
    }
}

/* Jitdumps that the target has mapped since. */
static void take_jitdumps(struct symbol_work *work)
{
    struct session *session = work->session;
    uint32_t count = module_table_count(session->modules);
    for (; work->modules_seen < count; work->modules_seen++) {
        const struct module *module = module_table_get(session->modules, work->modules_seen);
        if (module->kind == MODULE_JITDUMP &&
            symbols_add_jitdump(session->symbols, module) == -ENOMEM)
            break; /* try again later */
    }
}

static void tell_progress(struct symbol_work *work)
{
    struct session *session = work->session;
    bool fetching = fetcher_is_busy(session->fetcher);
    pthread_mutex_lock(&session->mutex);
    if (session->locations_done != work->seen || session->fetching != fetching) {
        session->locations_done = work->seen;
        session->fetching = fetching;
        session->epoch++;
        pthread_cond_broadcast(&session->changed);
    }
    pthread_mutex_unlock(&session->mutex);
}

static void note_cache_problem(struct session *session)
{
    char *problem = session->cache_problem ? NULL : symbols_cache_problem(session->symbols);
    if (!problem)
        return;
    pthread_mutex_lock(&session->mutex);
    session->cache_problem = problem;
    session->epoch++;
    pthread_mutex_unlock(&session->mutex);
}

/* When nobody waits for anything; half of the time, because it is not what lprofd is there for. */
static void keep_some(struct symbol_work *work)
{
    uint64_t begun_ns = clock_monotonic_ns();
    work->keeping = symbols_keep_some(work->session->symbols);
    work->rest_ns = clock_monotonic_ns() - begun_ns;
    note_cache_problem(work->session);
}

/* Sleeps until there is something to do. Returns true when the thread shall end. */
static bool rest(struct symbol_work *work)
{
    struct session *session = work->session;
    struct timespec deadline = clock_deadline(work->keeping ? work->rest_ns : POLL_NS);
    pthread_mutex_lock(&session->mutex);
    if (!session->stopping && session->drained == work->drained &&
        stack_locations_count(session->locations) == work->known)
        pthread_cond_timedwait(&session->located, &session->mutex, &deadline);
    work->drained = session->drained;
    bool stopping = session->stopping;
    pthread_mutex_unlock(&session->mutex);
    return stopping;
}

static bool is_over(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    bool over = session->drained && !session->fetching &&
                session->locations_done >= stack_locations_count(session->locations);
    pthread_mutex_unlock(&session->mutex);
    return over;
}

void *symbol_thread_main(void *user)
{
    struct symbol_work work = {.session = user};
    while (!rest(&work)) {
        take_fetched(&work);
        take_jitdumps(&work);
        do { /* a large module's lines take seconds: names do not wait for all modules */
            take_new(&work);
            resolve_names(&work);
            refresh(&work, false);
            session_keep_sources(work.session, false);
        } while (resolve_lines(&work));
        refresh(&work, work.drained);
        session_want_debug_files(work.session);
        tell_progress(&work);
        keep_some(&work);
        session_keep_sources(work.session, work.drained);
        if (work.drained && !work.keeping && is_over(work.session))
            break;
    }
    for (size_t i = 0; i < work.module_count; i++) {
        free(work.names[i].requests);
        free(work.lines[i].requests);
    }
    free(work.names);
    free(work.lines);
    free(work.is_kept);
    return NULL;
}
