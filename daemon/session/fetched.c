/* What a session asks debuginfod servers for, and what it says of that. */
#include "session/fetched.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbol/downloader.h"

/* A share of few samples says nothing. */
#define SHARE_HITS_MIN 100
#define MATTERS_PERCENT 5.0

static void on_change(void *user)
{
    struct session *session = user;
    pthread_mutex_lock(&session->mutex);
    session->epoch++;
    pthread_cond_broadcast(&session->changed);
    pthread_cond_signal(&session->located);
    pthread_mutex_unlock(&session->mutex);
}

int session_start_fetcher(struct session *session)
{
    return downloader_is_wanted() ? fetcher_new(on_change, session, &session->fetcher) : 0;
}

bool session_module_matters(const struct session *session, uint32_t module, double *ret_percent)
{
    const struct session_published *published = &session->published;
    if (module >= published->module_count || published->counts.hits < SHARE_HITS_MIN)
        return false;
    *ret_percent =
        100.0 * (double)published->module_hits[module].innermost / (double)published->counts.hits;
    return *ret_percent >= MATTERS_PERCENT;
}

void session_want_debug_files(struct session *session)
{
    double percent;
    if (!session->fetcher)
        return;
    pthread_mutex_lock(&session->mutex);
    for (uint32_t id = 1; id < session->module_lacks_count; id++) {
        const struct module *module = module_table_get(session->modules, id);
        if (session->module_lacks_debug[id] && module->kind == MODULE_FILE &&
            session_module_matters(session, id, &percent))
            fetcher_want_debug_file(session->fetcher, module);
    }
    pthread_mutex_unlock(&session->mutex);
}

static const char *reason(int error, char buffer[static 128])
{
    switch (error) {
    case -ENOENT:
        return "not found on any debuginfod server";
    case -ELIBACC:
        return "libdebuginfod is not installed (package libdebuginfod1)";
    case -ESTALE:
        return "the debuginfod server sent the file of another build";
    case -ENODATA:
    case -EBADMSG:
        return "what the debuginfod server sent is of no use";
    case -EFBIG:
        return "what the debuginfod server has is too large";
    case -ETIMEDOUT:
    case -ETIME:
        return "the debuginfod server takes too long";
    default:
        snprintf(buffer, 128, "debuginfod failed: %s", strerrordesc_np(-error));
        return buffer;
    }
}

char *session_describe_fetch(const struct session *session, const struct module *module)
{
    struct fetch_status status = fetcher_debug_file_status(session->fetcher, module);
    char buffer[128], *text = NULL;
    int length = -1;
    if (status.state == FETCH_QUEUED || status.state == FETCH_RUNNING)
        length = asprintf(&text, "fetching debug information of %s (%.1f MiB so far)", module->path,
                          (double)status.bytes / (1 << 20));
    else if (status.state == FETCH_FAILED)
        length = asprintf(&text, "%s", reason(status.error, buffer));
    return length < 0 ? NULL : text;
}

char *session_describe_source_fetches(const struct session *session)
{
    struct fetch_summary summary;
    char buffer[128], *text = NULL;
    int length = -1;
    fetcher_summarize_sources(session->fetcher, &summary);
    _cleanup_free_ char *waiting = summary.waiting_name, *failed = summary.failed_name;
    if (waiting)
        length = asprintf(&text, "fetching %s (%zu source%s to come)", waiting, summary.waiting,
                          summary.waiting == 1 ? "" : "s");
    else if (failed)
        length =
            asprintf(&text, "%s: %s (%zu source%s missing)", failed, reason(summary.error, buffer),
                     summary.failed, summary.failed == 1 ? "" : "s");
    return length < 0 ? NULL : text;
}
