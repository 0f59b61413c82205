/* The flame graph's handler: columns, built as text because there may be a million nodes. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/module_kind.h"
#include "http/view.h"

static void flamegraph_freep(struct query_flamegraph **graph)
{
    query_flamegraph_free(*graph);
}

/* Dense numbers for ids, in order of their first use. */
struct numbering {
    uint32_t *ids; /* owned */
    size_t count, capacity;
    struct index index;
};

static void numbering_free(struct numbering *numbering)
{
    free(numbering->ids);
    index_clear(&numbering->index);
}

static bool same_id(const void *user, uint32_t position)
{
    const struct numbering *numbering = user;
    /* The id looked for stands behind the last one. */
    return numbering->ids[position] == numbering->ids[numbering->count];
}

static uint64_t hash_id(const void *user, uint32_t position)
{
    return hash_u64(((const struct numbering *)user)->ids[position]);
}

static int number_of(struct numbering *numbering, uint32_t id, uint32_t *ret_number)
{
    if (array_reserve(&numbering->ids, &numbering->capacity, numbering->count + 1, sizeof id))
        return -ENOMEM;
    numbering->ids[numbering->count] = id;
    uint32_t found = index_find(&numbering->index, hash_u64(id), same_id, numbering);
    if (found == INDEX_EMPTY) {
        found = (uint32_t)numbering->count;
        if (index_add(&numbering->index, hash_u64(id), found, hash_id, numbering))
            return -ENOMEM;
        numbering->count++;
    }
    *ret_number = found;
    return 0;
}

/* "key":[numbers] of the ids of all nodes. */
static int add_numbered(cJSON *nodes, const char *key, const uint32_t *ids, uint32_t count,
                        struct numbering *numbering)
{
    _cleanup_text_ struct text text = {0};
    text_add(&text, "[", 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number;
        if (number_of(numbering, ids[i], &number))
            return -ENOMEM;
        json_text_u64(&text, number, i > 0);
    }
    text_add(&text, "]", 1);
    json_add_raw(nodes, key, &text);
    return 0;
}

static void add_u32_column(cJSON *nodes, const char *key, const uint32_t *values, uint32_t count)
{
    _cleanup_text_ struct text text = {0};
    text_add(&text, "[", 1);
    for (uint32_t i = 0; i < count; i++)
        json_text_u64(&text, values[i], i > 0);
    text_add(&text, "]", 1);
    json_add_raw(nodes, key, &text);
}

static void add_names(cJSON *document, const struct profile_view *view,
                      const struct numbering *functions)
{
    _cleanup_text_ struct text text = {0};
    text_add(&text, "[", 1);
    for (size_t i = 0; i < functions->count; i++) {
        uint32_t id = functions->ids[i];
        if (i)
            text_add(&text, ",", 1);
        json_text_string(&text, id == QUERY_ROOT    ? "all"
                                : id == QUERY_OTHER ? "other"
                                                    : symbols_function(view->symbols, id).name);
    }
    text_add(&text, "]", 1);
    json_add_raw(document, "names", &text);
}

/* files[0] is "", the unknown one; file_ids are those of the REST paths. */
static void add_files(cJSON *document, const struct profile_view *view,
                      const struct numbering *files)
{
    _cleanup_text_ struct text text = {0};
    text_add(&text, "[", 1);
    for (size_t i = 0; i < files->count; i++) {
        if (i)
            text_add(&text, ",", 1);
        json_text_string(&text,
                         files->ids[i] ? symbols_file(view->symbols, files->ids[i]).path : "");
    }
    text_add(&text, "]", 1);
    json_add_raw(document, "files", &text);
    add_u32_column(document, "file_ids", files->ids, (uint32_t)files->count);
}

/* Modules of the names, and of each name which one: modules[0] is that of names without any. */
static int add_modules(cJSON *document, const struct profile_view *view,
                       const struct numbering *functions)
{
    _cleanup_(numbering_free) struct numbering modules = {0};
    _cleanup_text_ struct text of_names = {0};
    uint32_t number;
    int error = number_of(&modules, 0, &number);
    text_add(&of_names, "[", 1);
    for (size_t i = 0; i < functions->count && !error; i++) {
        uint32_t id = functions->ids[i], module = 0;
        if (id < QUERY_OTHER)
            module = symbols_function(view->symbols, id).module;
        error = number_of(&modules, module, &number);
        json_text_u64(&of_names, number, i > 0);
    }
    if (error)
        return error;
    text_add(&of_names, "]", 1);
    cJSON *names = json_add_array(document, "modules");
    cJSON *kinds = json_add_array(document, "module_kinds");
    for (size_t i = 0; i < modules.count; i++) {
        json_append_string(names, document_module(view, modules.ids[i]));
        json_append_string(kinds, module_kind_name(view, modules.ids[i]));
    }
    json_add_raw(document, "name_module", &of_names);
    return 0;
}

static int add_graph(cJSON *document, const struct profile_view *view,
                     const struct query_flamegraph *graph)
{
    _cleanup_(numbering_free) struct numbering functions = {0};
    _cleanup_(numbering_free) struct numbering files = {0};
    _cleanup_json_ cJSON *nodes = cJSON_CreateObject();
    uint32_t unknown_number;
    if (number_of(&files, 0, &unknown_number))
        return -ENOMEM;
    add_u32_column(nodes, "parent", graph->parent, graph->count);
    if (add_numbered(nodes, "name", graph->function, graph->count, &functions) ||
        add_numbered(nodes, "file", graph->file, graph->count, &files))
        return -ENOMEM;
    add_u32_column(nodes, "line", graph->line, graph->count);
    add_u32_column(nodes, "folded", graph->folded, graph->count);
    json_add_u64_column(nodes, "self", graph->self_hits, graph->count);
    json_add_u64_column(nodes, "total", graph->total_hits, graph->count);
    json_add_u64_column(nodes, "self_time_ns", graph->self_time_ns, graph->count);
    json_add_u64_column(nodes, "total_time_ns", graph->total_time_ns, graph->count);
    json_add_string(document, "unit", "samples");
    json_add_u64(document, "total", graph->total.hits);
    json_add_u64(document, "total_time_ns", graph->total.time_ns);
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        add_names(document, view, &functions);
        add_files(document, view, &files);
        if (add_modules(document, view, &functions))
            return -ENOMEM;
    }
    if (!nodes || !cJSON_AddItemToObjectCS(document, "nodes", nodes))
        return -ENOMEM;
    nodes = NULL;
    return 0;
}

int handle_flamegraph(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(flamegraph_freep) struct query_flamegraph *graph = NULL;
    struct query_options options = params_query_options(&request->params);
    struct query_flamegraph_options shape = {
        .min_percent = request->params.min_percent,
        .max_nodes = request->params.max_nodes,
        .inverted = request->params.inverted,
        .center = request->params.center,
        .callers = request->params.callers,
        .sites = request->params.sites,
    };
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = query_flamegraph(view, &options, &shape, &graph);
    if (error)
        return view_query_failed(reply, error);
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    error = add_graph(document, view, graph);
    return error ? error : reply_json(reply, document);
}
