/* What the pipeline tells of itself: CPU time by the kernel's books, its own cost, sealed buckets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/descendants.h"
#include "process/process_check.h"
#include "session/pipeline.h"

#define PROCESSES_EVERY_NS (20 * NS_PER_MS)
#define THREADS_EVERY_NS NS_PER_SECOND
#define ABSENT_EVERY_NS (5 * NS_PER_MS)
/* The kernel's books take time with every thread to read; samples tell what happens in between. */
#define READING_SHARE 400

static void observe(struct pipeline *pipeline, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns - pipeline->observed_ns;
    uint64_t cpu_ns = clock_process_cpu_ns();
    uint64_t cost_ns = pipeline->capture->target_cost_ns;
    if (elapsed_ns) {
        pipeline->daemon_cpu_percent =
            100.0 * (double)(cpu_ns - pipeline->daemon_cpu_ns) / (double)elapsed_ns;
        pipeline->target_overhead_percent =
            100.0 * (double)(cost_ns - pipeline->observed_cost_ns) / (double)elapsed_ns;
    }
    pipeline->daemon_cpu_ns = cpu_ns;
    pipeline->observed_cost_ns = cost_ns;
    pipeline->observed_ns = now_ns;
}

static bool is_due(const struct reading *reading, uint64_t now_ns, uint64_t interval_ns)
{
    uint64_t rest_ns = reading->cost_ns * READING_SHARE;
    return now_ns - reading->at_ns >= (rest_ns > interval_ns ? rest_ns : interval_ns);
}

static void note_reading(struct reading *reading, uint64_t now_ns)
{
    reading->at_ns = now_ns;
    reading->cost_ns = clock_monotonic_ns() - now_ns;
}

static void read_processes(struct pipeline *pipeline, uint64_t now_ns)
{
    process_tree_account(pipeline->processes, pipeline->sampling, now_ns);
    note_reading(&pipeline->processes_read, now_ns);
}

/* Renames come as records, except from backends that have none. */
static void read_threads(struct pipeline *pipeline, uint64_t now_ns)
{
    thread_table_account(pipeline->threads, pipeline->sampling,
                         pipeline->names_missed || !pipeline->capture->reports_mappings);
    pipeline->names_missed = false;
    note_reading(&pipeline->threads_read, now_ns);
}

/* A target that only waits for children looks idle: its people are told where the time goes. */
static void read_children(struct pipeline *pipeline, uint64_t now_ns)
{
    _cleanup_(descendants_clear) struct descendants found = {0};
    bool is_first = !pipeline->children_read.at_ns;
    if (descendants_read(pipeline->session->pid, &found) == 0) {
        if (pipeline->sampling && !is_first && found.cpu_ns > pipeline->children_last_ns)
            pipeline->counts.children_ns += found.cpu_ns - pipeline->children_last_ns;
        pipeline->children_last_ns = found.cpu_ns;
        pipeline->children = found.count;
    }
    note_reading(&pipeline->children_read, now_ns);
}

static void fetch_absent_pages(struct pipeline *pipeline, uint64_t now_ns)
{
    absent_pages_fetch(&pipeline->absent_pages);
    note_reading(&pipeline->absent_read, now_ns);
}

uint64_t pipeline_heard_until(const struct pipeline *pipeline, uint64_t now_ns)
{
    uint64_t left_ns = pipeline->capture->left_ns;
    return left_ns && left_ns < now_ns ? left_ns : now_ns;
}

void pipeline_account(struct pipeline *pipeline, uint64_t now_ns)
{
    process_tree_forget(pipeline->processes, pipeline_heard_until(pipeline, now_ns));
    if (is_due(&pipeline->processes_read, now_ns, PROCESSES_EVERY_NS))
        read_processes(pipeline, now_ns);
    if (is_due(&pipeline->threads_read, now_ns, THREADS_EVERY_NS))
        read_threads(pipeline, clock_monotonic_ns());
    if (!pipeline->session->follow && is_due(&pipeline->children_read, now_ns, NS_PER_SECOND))
        read_children(pipeline, clock_monotonic_ns());
    if (pipeline->absent_pages.count && is_due(&pipeline->absent_read, now_ns, ABSENT_EVERY_NS))
        fetch_absent_pages(pipeline, clock_monotonic_ns());
    if (now_ns - pipeline->observed_ns >= NS_PER_SECOND)
        observe(pipeline, now_ns);
}

void pipeline_account_all(struct pipeline *pipeline)
{
    read_processes(pipeline, clock_monotonic_ns());
    read_threads(pipeline, clock_monotonic_ns());
}

int pipeline_catch_up(struct pipeline *pipeline)
{
    uint64_t now_ns = clock_monotonic_ns();
    if (!pipeline->missed || !is_due(&pipeline->looked, now_ns, NS_PER_SECOND))
        return 0;
    int error = pipeline_look_again(pipeline);
    if (!error)
        error = pipeline_find_threads(pipeline);
    pipeline->missed = error;
    note_reading(&pipeline->looked, now_ns);
    return error;
}

int pipeline_seal(struct pipeline *pipeline, uint64_t end_ns)
{
    struct session *session = pipeline->session;
    struct session_published published = {
        .counts = pipeline->counts,
        .duration_ns = end_ns,
        .module_count = pipeline->module_hit_count,
        .daemon_cpu_percent = pipeline->daemon_cpu_percent,
        .target_overhead_percent = pipeline->target_overhead_percent,
    };
    published.counts.accounted_ns = process_tree_accounted_ns(pipeline->processes);
    published.processes = process_tree_living(pipeline->processes);
    published.children = pipeline->children;
    published.executed_32_bit = process_tree_executed_32_bit(pipeline->processes);
    published.module_hits = calloc(pipeline->module_hit_count + 1, sizeof(struct module_hits));
    if (!published.module_hits)
        return -ENOMEM;
    int error = thread_table_copy(pipeline->threads, &published.threads, &published.thread_count,
                                  &published.threads_alive);
    if (error) {
        free(published.module_hits);
        return error;
    }
    /* Processes are read far more often. */
    thread_table_fit(pipeline->threads, published.counts.accounted_ns, published.threads);
    if (published.module_count)
        memcpy(published.module_hits, pipeline->module_hits,
               published.module_count * sizeof(struct module_hits));

    pthread_mutex_lock(&session->mutex);
    error = bucket_store_seal(session->buckets, end_ns);
    if (!error) {
        if (published.counts.hits != session->published.counts.hits ||
            published.thread_count != session->published.thread_count)
            session->epoch++;
        struct session_published old = session->published;
        session->published = published;
        published = old;
        pipeline->sealed_ns = end_ns;
        pthread_cond_broadcast(&session->changed);
    }
    pthread_mutex_unlock(&session->mutex);
    free(published.threads);
    free(published.module_hits);
    if (!error)
        pipeline_stay_within_limit(pipeline);
    return error;
}

int pipeline_seal_until(struct pipeline *pipeline, uint64_t time_ns)
{
    uint64_t end_ns = time_ns / BUCKET_NS * BUCKET_NS;
    uint64_t open_end_ns = (pipeline->sealed_ns / BUCKET_NS + 1) * BUCKET_NS;
    int error = end_ns > open_end_ns ? pipeline_seal(pipeline, open_end_ns) : 0;
    return error || end_ns <= pipeline->sealed_ns ? error : pipeline_seal(pipeline, end_ns);
}

void pipeline_describe_target(struct session *session)
{
    _cleanup_free_ char *command = NULL, *executable = NULL;
    if (process_describe(session->pid, &command, &executable))
        return;
    pthread_mutex_lock(&session->mutex);
    free(session->command);
    free(session->executable);
    session->command = take_pointer(command);
    session->executable = take_pointer(executable);
    pthread_mutex_unlock(&session->mutex);
}
