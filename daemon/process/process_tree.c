/* The processes of a session. */
#include "process/process_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "process/maps.h"

/* Records of a process may come this long after its end was told: of other CPUs, of its threads. */
#define LATE_NS (2 * NS_PER_SECOND)
#define VDSO_TRIES 50

struct process_tree {
    struct module_table *modules; /* borrowed */
    struct process **processes;   /* owned array of owned processes; the first is the target */
    size_t count, capacity;
    struct process *last;  /* found: records come in runs */
    uint64_t forgotten_ns; /* accounted CPU time of processes that are no longer here */
};

static void process_free(struct process *process)
{
    address_space_free(process->space);
    target_free(process->target);
    free(process);
}

static int add(struct process_tree *tree, struct process *process)
{
    int error =
        array_reserve(&tree->processes, &tree->capacity, tree->count + 1, sizeof(struct process *));
    if (error)
        return error;
    tree->processes[tree->count++] = process;
    return 0;
}

int process_tree_new(struct module_table *modules, pid_t pid, struct process_tree **ret_tree)
{
    struct process_tree *tree = calloc(1, sizeof *tree);
    struct process *process = calloc(1, sizeof *process);
    if (!tree || !process || address_space_new(modules, &process->space)) {
        free(tree);
        free(process);
        return -ENOMEM;
    }
    process->pid = pid;
    tree->modules = modules;
    if (add(tree, process)) {
        process_free(process);
        free(tree);
        return -ENOMEM;
    }
    *ret_tree = tree;
    return 0;
}

void process_tree_free(struct process_tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->count; i++)
        process_free(tree->processes[i]);
    free(tree->processes);
    free(tree);
}

struct process *process_tree_find(struct process_tree *tree, pid_t pid)
{
    if (tree->last && tree->last->pid == pid && !tree->last->ended)
        return tree->last;
    for (size_t i = tree->count; i-- > 0;) { /* the newest of a pid that was used again */
        if (tree->processes[i]->pid == pid) {
            tree->last = tree->processes[i];
            return tree->last;
        }
    }
    return NULL;
}

/* One that has ended already, or has no descriptor to spare, has at most its parent's rights. */
static int open_target(const struct target *like, pid_t pid, struct target **ret_target)
{
    int error = target_open(pid, ret_target);
    return error ? target_stand_in(like, pid, ret_target) : 0;
}

int process_tree_fork(struct process_tree *tree, const struct process *parent, pid_t pid)
{
    struct process *child = calloc(1, sizeof *child);
    if (!child)
        return -ENOMEM;
    child->pid = pid;
    child->maps_read_ns = parent->maps_read_ns;
    child->vdso_tries = parent->vdso_tries;
    int error = open_target(address_space_target(parent->space), pid, &child->target);
    if (!error)
        error = address_space_clone(parent->space, child->target, &child->space);
    if (!error)
        error = add(tree, child);
    if (error)
        process_free(child);
    return error;
}

int process_tree_add_running(struct process_tree *tree, pid_t pid)
{
    struct process *process = calloc(1, sizeof *process);
    if (!process)
        return -ENOMEM;
    process->pid = pid;
    process->maps_read_ns = clock_monotonic_ns();
    int error = target_open(pid, &process->target);
    if (!error)
        error = address_space_clone(tree->processes[0]->space, process->target, &process->space);
    if (!error)
        error = address_space_read(process->space, pid);
    if (!error)
        error = add(tree, process);
    if (error)
        process_free(process);
    return error;
}

static uint64_t accounted_of(const struct process *process)
{
    /* Since the last reading, and after the end, the samples are the best account. */
    return process->accounted_ns + process->sampled_ns - process->sampled_at_read_ns;
}

static void forget(struct process_tree *tree, uint64_t now_ns)
{
    size_t kept = 1; /* the target stays */
    for (size_t i = 1; i < tree->count; i++) {
        struct process *process = tree->processes[i];
        if (process->ended && now_ns - process->ended_ns > LATE_NS) {
            tree->forgotten_ns += accounted_of(process);
            process_free(process);
        } else {
            tree->processes[kept++] = process;
        }
    }
    if (kept < tree->count)
        tree->last = NULL;
    tree->count = kept;
}

void process_end(struct process *process, uint64_t now_ns)
{
    if (process->ended)
        return;
    process->ended = true;
    process->ended_ns = now_ns;
}

void process_give_up_pid(struct process *process, uint64_t now_ns)
{
    process_end(process, now_ns);
    process->gave_up_pid = true;
}

/* The launched command is the first program that the session's target is remembered for. */
static int renew_target(struct process *process)
{
    const struct target *before = address_space_target(process->space);
    struct target *target = NULL;
    if (process->waiting_for_exec)
        return 0;
    int error = open_target(before, process->pid, &target);
    if (error)
        return error;
    target_set_executed(before);
    address_space_exec(process->space, target);
    target_free(process->target);
    process->target = target;
    return 0;
}

int process_exec(struct process *process, uint64_t time_ns)
{
    address_space_clear(process->space);
    int error = renew_target(process);
    address_space_read_initial_sp(process->space, process->pid);
    process->maps_read_ns = time_ns;
    process->vdso_tries = VDSO_TRIES;
    process->waiting_for_exec = false;
    return error;
}

static int add_vdso(void *user, const struct record_mapping *mapping)
{
    struct process *process = user;
    if (strcmp(mapping->path, "[vdso]") != 0)
        return 0;
    process->vdso_tries = 0;
    return address_space_map(process->space, mapping);
}

bool process_tree_look_at_images(struct process_tree *tree)
{
    bool looked = false;
    for (size_t i = 0; i < tree->count; i++) {
        struct process *process = tree->processes[i];
        if (process->ended || process->vdso_tries == 0)
            continue;
        process->vdso_tries--;
        maps_read(process->pid, add_vdso, process);
        /* The kernel tells of an execution a little before it has laid out the new stack. */
        address_space_read_initial_sp(process->space, process->pid);
        looked = true;
    }
    return looked;
}

void process_tree_account(struct process_tree *tree, bool sampling, uint64_t now_ns)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct process *process = tree->processes[i];
        uint64_t cpu_time_ns = 0;
        int error = process->ended ? 0 : privilege_read_cpu_time(process->pid, &cpu_time_ns);
        if (error == -ESRCH && i > 0) {
            process->ended = true;
            process->ended_ns = now_ns;
        }
        if (error || process->ended)
            continue;
        if (sampling && cpu_time_ns > process->cpu_time_ns)
            process->accounted_ns += cpu_time_ns - process->cpu_time_ns;
        process->cpu_time_ns = cpu_time_ns;
        process->sampled_at_read_ns = process->sampled_ns;
    }
    forget(tree, now_ns);
}

uint64_t process_tree_accounted_ns(const struct process_tree *tree)
{
    uint64_t sum_ns = tree->forgotten_ns;
    for (size_t i = 0; i < tree->count; i++)
        sum_ns += accounted_of(tree->processes[i]);
    return sum_ns;
}

int process_tree_each(const struct process_tree *tree, int (*visit)(void *user, pid_t pid),
                      void *user)
{
    int error = 0;
    for (size_t i = 0; i < tree->count && !error; i++)
        if (!tree->processes[i]->ended)
            error = visit(user, tree->processes[i]->pid);
    return error;
}

size_t process_tree_living(const struct process_tree *tree)
{
    size_t living = 0;
    for (size_t i = 0; i < tree->count; i++)
        living += !tree->processes[i]->ended;
    return living;
}

int process_tree_renew(struct process_tree *tree, const struct target *target)
{
    const struct module *module;
    int error = module_table_renew(tree->modules, target, &module);
    if (error || !module)
        return error ? error : -EAGAIN;
    for (size_t i = 0; i < tree->count; i++)
        address_space_renew(tree->processes[i]->space, module);
    return 0;
}
