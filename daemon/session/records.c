/*
 * One record after another: the whole path of a sample, from the rings to a counted stack. This is
 * the one file that knows all stages; it reads from top to bottom like the drawing in
 * daemon/README.md.
 */
#include <errno.h>

#include "base/array.h"
#include "base/clock.h"
#include "session/pipeline.h"

static const struct module *find_in_space(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    return address_space_find(user, ip, ret_vaddr);
}

/* NULL without memory. */
static struct module_hits *hits_of_module(struct pipeline *pipeline, uint32_t module)
{
    if (array_reserve(&pipeline->module_hits, &pipeline->module_hit_capacity, (size_t)module + 1,
                      sizeof *pipeline->module_hits))
        return NULL;
    while (pipeline->module_hit_count <= module)
        pipeline->module_hits[pipeline->module_hit_count++] = (struct module_hits){0};
    return &pipeline->module_hits[module];
}

/* The module of the innermost user frame, or 0. */
static uint32_t innermost_module(const struct pipeline *pipeline)
{
    const struct module *kernel = module_table_kernel(pipeline->session->modules);
    for (size_t i = 0; i < pipeline->stack.count; i++) {
        uint32_t module = pipeline->stack.frames[i].module;
        if (module != 0 && module != kernel->id)
            return module;
    }
    return 0;
}

static void count_module_hit(struct pipeline *pipeline)
{
    const struct raw_stack *stack = &pipeline->stack;
    uint32_t innermost = innermost_module(pipeline);
    struct module_hits *hits = innermost ? hits_of_module(pipeline, innermost) : NULL;
    if (hits)
        hits->innermost++;
    if (stack->end != STACK_END_NO_CFI || stack->count < 2)
        return;
    hits = hits_of_module(pipeline, stack->frames[stack->count - 2].module);
    if (hits)
        hits->no_cfi++;
}

/* Where even forgetting the oldest leaves no room, new stacks are cut to what self time needs. */
static void keep_leaf_only(struct pipeline *pipeline)
{
    struct raw_stack *stack = &pipeline->stack;
    if (stack->count < 2)
        return;
    stack->end = STACK_END_MEMORY_LIMIT;
    stack->by_frame_pointer = false;
    stack->count = 2;
    stack->frames[1] = (struct raw_frame){.vaddr = STACK_END_MEMORY_LIMIT};
}

/* Where the copy ended is a page that hides the rest: the next sample is to have more. */
static void note_absent_page(struct pipeline *pipeline, const struct sample *sample)
{
    uint64_t sp = sample->registers.values[architecture_own.sp];
    absent_pages_note(&pipeline->absent_pages, sample->pid, sp + sample->stack_bytes,
                      sp + pipeline->session->stack_bytes);
}

static int handle_sample(struct pipeline *pipeline, struct process *process,
                         const struct sample *sample)
{
    struct session *session = pipeline->session;
    if (process->waiting_for_exec || sample->time_ns < pipeline->started_ns)
        return 0;
    int error = pipeline_seal_until(pipeline, sample->time_ns - pipeline->started_ns);
    if (error)
        return error;

    struct unwind_space space = {
        .find = find_in_space,
        .user = process->space,
        .kernel = module_table_kernel(session->modules),
        .initial_sp = address_space_initial_sp(process->space),
        .generation = address_space_generation(process->space),
    };
    struct raw_stack *stack = &pipeline->stack;
    unwinder_run(pipeline->unwinder, sample, &space, stack);
    if (stack->end == STACK_END_NOT_PRESENT)
        note_absent_page(pipeline, sample);
    if (!pipeline_has_room_for_stacks(pipeline))
        keep_leaf_only(pipeline);
    pipeline->counts.ended[stack->end]++;
    pipeline->counts.truncated += stack->end == STACK_END_TRUNCATED;
    pipeline->counts.to_root += stack->end == STACK_END_ROOT;
    pipeline->counts.by_frame_pointer += stack->by_frame_pointer;

    uint32_t node = 0, thread = 0;
    error = stack_trie_add(session->trie, stack->frames, stack->count, &node);
    if (!error)
        error = thread_table_find_sampled(pipeline->threads, sample->pid, sample->tid, &thread);
    if (!error)
        error = bucket_store_count(session->buckets, node, thread, sample->weight_ns);
    if (error)
        return error;

    thread_table_sample(pipeline->threads, thread, sample->weight_ns);
    count_module_hit(pipeline);
    process->sampled_ns += sample->weight_ns;
    pipeline->counts.hits++;
    pipeline->counts.sampled_ns += sample->weight_ns;
    return 0;
}

static int handle_exec(struct pipeline *pipeline, struct process *process, uint64_t time_ns)
{
    if (process->waiting_for_exec) { /* the launched command begins */
        pipeline->started_ns = time_ns;
        pthread_mutex_lock(&pipeline->session->mutex);
        clock_format_utc(pipeline->session->started_at);
        pthread_mutex_unlock(&pipeline->session->mutex);
    }
    return process_exec(process, time_ns);
}

static int handle_comm(struct pipeline *pipeline, struct process *process,
                       const struct record *record)
{
    if (process->is_over && record->comm.is_exec) /* by a thread that no record told of */
        return pipeline_follow(pipeline, record->pid);
    /* The thread that executes becomes the main one (execve(2)), whose end was told before. */
    int error =
        record->comm.is_exec ? thread_table_exec(pipeline->threads, record->pid, record->tid) : 0;
    thread_table_rename(pipeline->threads, record->pid, record->tid, record->comm.name);
    if (!record->comm.is_exec || record->time_ns < process->maps_read_ns)
        return error;
    int exec_error = handle_exec(pipeline, process, record->time_ns);
    return error ? error : exec_error;
}

/* A new process. It may be a child that is to be followed, or have the pid of one that was. */
static int handle_new_process(struct pipeline *pipeline, const struct process *parent,
                              const struct record *record, bool *ret_followed)
{
    struct process *known = process_tree_find(pipeline->processes, record->pid);
    if (known && !known->ended && record->time_ns < known->maps_read_ns)
        return 0; /* found in /proc already */
    if (known)
        process_tree_give_up_pid(pipeline->processes, known, record->time_ns);
    if (!parent || !pipeline->session->follow)
        return 0;
    int error = process_tree_fork(pipeline->processes, parent, record->pid);
    if (!error && pipeline->capture->ops->add_process)
        pipeline->capture->ops->add_process(pipeline->capture, record->pid);
    *ret_followed = true;
    return error;
}

/* A new thread or process; `parent` is NULL for those of others. */
static int handle_fork(struct pipeline *pipeline, const struct process *parent,
                       const struct record *record)
{
    int error = 0;
    bool is_ours = parent && record->pid == record->fork.parent_pid;
    if (record->pid != record->fork.parent_pid)
        error = handle_new_process(pipeline, parent, record, &is_ours);
    if (!is_ours)
        return error;
    return error ? error
                 : thread_table_fork(pipeline->threads, record->fork.parent_tid, record->pid,
                                     record->tid);
}

/*
 * The main thread may end before the others do, which are not all known where there are too many.
 * The target's own end is told by its pidfd.
 */
static bool was_last_thread(const struct pipeline *pipeline, const struct record *record)
{
    return record->pid != pipeline->session->pid &&
           (record->tid == record->pid || !thread_table_is_full(pipeline->threads)) &&
           !thread_table_has_living(pipeline->threads, record->pid);
}

static void handle_exit(struct pipeline *pipeline, struct process *process,
                        const struct record *record)
{
    thread_table_exit(pipeline->threads, record->pid, record->tid);
    if (was_last_thread(pipeline, record))
        process_tree_end_told(pipeline->processes, process, record->time_ns);
}

/* A record of one of our processes. */
static int handle_own_record(struct pipeline *pipeline, struct process *process,
                             const struct record *record)
{
    switch (record->type) {
    case RECORD_SAMPLE:
        return handle_sample(pipeline, process, &record->sample);
    case RECORD_MAPPING:
        return process->is_over || record->time_ns < process->maps_read_ns
                   ? 0
                   : address_space_map(process->space, &record->mapping);
    case RECORD_COMM:
        return handle_comm(pipeline, process, record);
    case RECORD_EXIT:
        handle_exit(pipeline, process, record);
        return 0;
    case RECORD_MAPS: /* a command that has not begun still has our own */
        return process->waiting_for_exec ? 0 : address_space_replace(process->space, record->maps);
    default:
        return 0;
    }
}

/* What both captures tell while one replaces the other is heard once. */
static bool is_heard(const struct pipeline *pipeline, const struct record *record)
{
    switch (record->type) {
    case RECORD_SAMPLE:
    case RECORD_MAPPING:
    case RECORD_COMM:
    case RECORD_FORK:
    case RECORD_EXIT:
        return record->time_ns > pipeline->heard_from_ns &&
               record->time_ns <= pipeline->heard_until_ns;
    default:
        return true;
    }
}

/*
 * A sample of a process that no record told of. Where events are inherited it is a descendant;
 * when it is gone already, its samples are at least counted.
 */
static int handle_stray(struct pipeline *pipeline, const struct record *record)
{
    bool inherits = pipeline->session->follow && !pipeline->capture->ops->add_process;
    if (record->type != RECORD_SAMPLE)
        return 0;
    int error = inherits ? pipeline_follow(pipeline, record->pid) : 0;
    struct process *process = process_tree_find(pipeline->processes, record->pid);
    if (process)
        return handle_own_record(pipeline, process, record);
    pipeline->counts.strays++;
    return error;
}

static int handle_record(struct pipeline *pipeline, const struct record *record)
{
    struct process *process;
    if (!is_heard(pipeline, record))
        return 0;
    switch (record->type) {
    case RECORD_LOST:
        pipeline->counts.lost += record->lost_count;
        pipeline->missed = true;
        return pipeline_catch_up(pipeline);
    case RECORD_MISSED:
        return pipeline_look_again(pipeline);
    case RECORD_THROTTLED:
        pipeline->counts.throttled++;
        return 0;
    case RECORD_FORK:
        process = process_tree_find(pipeline->processes, record->fork.parent_pid);
        return handle_fork(pipeline, process && !process->gave_up_pid ? process : NULL, record);
    default:
        process = process_tree_find(pipeline->processes, record->pid);
        if (process && process->gave_up_pid)
            return 0;
        return process ? handle_own_record(pipeline, process, record)
                       : handle_stray(pipeline, record);
    }
}

void pipeline_on_record(void *user, const struct record *record)
{
    struct pipeline *pipeline = user;
    if (pipeline->error)
        return;
    int error = handle_record(pipeline, record);
    if (lacks_descriptors(error))
        pipeline->counts.descriptor_failures++;   /* what could not be read is unknown; told */
    else if (error != -ENOENT && error != -ESRCH) /* the process ended while /proc was read */
        pipeline->error = error;
}
