/* Where reports come from: a running lprofd, or saved profiles. */
#include "cli/origin.h"

#include <errno.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "http/local.h"

/* Each file becomes a session of the registry. */
static int load(const char *path, const struct session_options *options,
                struct session_registry *registry, struct failure *failure)
{
    struct session *session = NULL;
    uint32_t id;
    int error = session_load(path, options, &session, failure);
    if (error == -ENOENT)
        return failure_set(failure, error,
                           "there is no file %s (a running lprofd is asked by its URL, such as "
                           "http://localhost:8080)",
                           path);
    if (!error && session_registry_add(registry, session, &id))
        error = failure_set(failure, -ENOMEM, "out of memory");
    session_unref(session);
    return error;
}

int origin_open(char *const *names, size_t count, const struct session_options *options,
                struct origin *ret_origin, struct failure *ret_failure)
{
    struct origin origin = {.name = names[0]};
    bool is_url = client_is_url(names[0]);
    int error = is_url ? 0 : session_registry_new(&origin.registry);
    if (error)
        return failure_set(ret_failure, error, "out of memory");
    for (size_t i = 0; i < count && !is_url && !error; i++)
        error = load(names[i], options, origin.registry, ret_failure);
    if (error)
        origin_close(&origin);
    else
        *ret_origin = origin;
    return error;
}

void origin_close(struct origin *origin)
{
    session_registry_free(origin->registry);
    *origin = (struct origin){0};
}

int origin_get(const struct origin *origin, const char *path, struct text *to,
               struct failure *ret_failure)
{
    return origin->registry ? local_get(origin->registry, path, to, ret_failure)
                            : client_get(origin->name, path, origin->token, to, ret_failure);
}

int origin_get_json(const struct origin *origin, const char *path, cJSON **ret_document,
                    struct failure *ret_failure)
{
    _cleanup_text_ struct text body = {0};
    int error = origin_get(origin, path, &body, ret_failure);
    if (error)
        return error;
    cJSON *document = body.bytes ? cJSON_ParseWithLength(body.bytes, body.length) : NULL;
    if (!document)
        return failure_set(ret_failure, -EIO, "%s did not answer %s with JSON: is that lprofd?",
                           origin->name, path);
    *ret_document = document;
    return 0;
}
