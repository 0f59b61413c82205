/* The handler of the processes that can be attached to. */
#include "base/cleanup.h"
#include "http/handlers.h"
#include "http/json.h"
#include "process/process_list.h"

static void list_freep(struct process_list **list)
{
    process_list_free(*list);
}

static void add_process(cJSON *row, const struct process_entry *entry)
{
    json_add_u64(row, "pid", (uint64_t)entry->pid);
    json_add_u64(row, "ppid", (uint64_t)entry->ppid);
    json_add_string(row, "user", entry->user);
    json_add_string(row, "command", entry->command);
    json_add_double(row, "cpu_percent", entry->cpu_percent);
    json_add_u64(row, "threads", entry->threads);
    json_add_string(row, "runtime", entry->runtime);
}

int handle_processes(struct request *request, struct reply *reply)
{
    _cleanup_(list_freep) struct process_list *list = NULL;
    (void)request;
    int error = process_list_read(&list);
    if (error)
        return error;
    _cleanup_json_ cJSON *document = cJSON_CreateArray();
    for (size_t i = 0; i < list->count; i++)
        add_process(json_append_object(document), &list->entries[i]);
    return reply_json(reply, document);
}
