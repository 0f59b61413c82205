/* The processes of a session. */
#include "process/process_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "process/maps.h"
#include "process/process_check.h"

/* Records of a process may come this long after its end was told: of other CPUs, of its threads. */
#define LATE_NS (2 * NS_PER_SECOND)
/* When the records of that long after an end were heard, that of the end was, or it is lost. */
#define TOLD_NS (50 * NS_PER_MS)
#define VDSO_TRIES 50
#define CHAINS 1024

/* Every process that the machine starts is looked for here, and its parent: O(1), not O(count). */
struct process_tree {
    struct module_table *modules; /* borrowed */
    struct process **processes;   /* owned array of owned ones: the target, and others that live */
    size_t count, capacity;
    struct process *chains[CHAINS]; /* by the hash of the pid, the newest first */
    struct process *first_ended;    /* owned list, but for the target */
    struct process *last_ended;
    struct process *first_open; /* of them: those before it are over */
    uint64_t forgotten_ns;      /* accounted CPU time of processes that are no longer here */
    bool executed_32_bit;       /* one of them did */
    process_end_fn *on_end;     /* NULL: nobody asks */
    void *user;                 /* of on_end */
};

static struct process **chain_of(struct process_tree *tree, pid_t pid)
{
    return &tree->chains[hash_u64((uint64_t)pid) % CHAINS];
}

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
    struct process **chain = chain_of(tree, process->pid);
    process->older = *chain;
    *chain = process;
    process->position = tree->count;
    tree->processes[tree->count++] = process;
    return 0;
}

static void remove_from_chain(struct process_tree *tree, const struct process *process)
{
    struct process **link = chain_of(tree, process->pid);
    while (*link != process)
        link = &(*link)->older;
    *link = process->older;
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
    while (tree->first_ended) {
        struct process *next = tree->first_ended->next_ended;
        process_free(tree->first_ended);
        tree->first_ended = next;
    }
    free(tree->processes);
    free(tree);
}

void process_tree_tell_ends(struct process_tree *tree, process_end_fn *on_end, void *user)
{
    tree->on_end = on_end;
    tree->user = user;
}

struct process *process_tree_find(struct process_tree *tree, pid_t pid)
{
    struct process *process = *chain_of(tree, pid);
    while (process && process->pid != pid)
        process = process->older;
    return process;
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

void process_tree_look_at_width(struct process_tree *tree, const struct process *process)
{
    tree->executed_32_bit |= process_is_32_bit(process->pid);
}

bool process_tree_executed_32_bit(const struct process_tree *tree)
{
    return tree->executed_32_bit;
}

static uint64_t accounted_of(const struct process *process)
{
    /* Since the last reading, and after the end, the samples are the best account. */
    return process->accounted_ns + process->sampled_ns - process->sampled_at_read_ns;
}

static void let_go(struct process *process)
{
    process->is_over = true;
    if (process->target)
        target_let_go(process->target);
}

void process_tree_forget(struct process_tree *tree, uint64_t time_ns)
{
    struct process *process;
    while ((process = tree->first_open) && time_ns > process->ended_ns + TOLD_NS) {
        tree->first_open = process->next_ended;
        let_go(process);
    }
    while ((process = tree->first_ended) && time_ns > process->ended_ns + LATE_NS) {
        tree->first_ended = process->next_ended;
        tree->forgotten_ns += accounted_of(process);
        remove_from_chain(tree, process);
        process_free(process);
    }
}

/* The target stays where it is. */
static void move_to_ended(struct process_tree *tree, struct process *process)
{
    if (process->position == 0)
        return;
    struct process *last = tree->processes[--tree->count];
    tree->processes[process->position] = last;
    last->position = process->position;
    if (tree->first_ended)
        tree->last_ended->next_ended = process;
    else
        tree->first_ended = process;
    tree->last_ended = process;
    if (!tree->first_open)
        tree->first_open = process;
}

void process_tree_end(struct process_tree *tree, struct process *process, uint64_t time_ns)
{
    if (process->ended)
        return;
    process->ended = true;
    process->ended_ns = time_ns;
    move_to_ended(tree, process);
    address_space_trim(process->space);
    if (tree->on_end)
        tree->on_end(tree->user, process);
}

/*
 * Thousands may end in a second, and many within one drain: each that waits for late records keeps
 * its mappings, and neither descriptors nor more memory than that.
 */
void process_tree_end_told(struct process_tree *tree, struct process *process, uint64_t time_ns)
{
    process_tree_end(tree, process, time_ns);
    let_go(process);
    process_tree_forget(tree, time_ns);
}

void process_tree_give_up_pid(struct process_tree *tree, struct process *process, uint64_t time_ns)
{
    process->gave_up_pid = true;
    process_tree_end_told(tree, process, time_ns);
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
        process_tree_look_at_width(tree, process);
        looked = true;
    }
    return looked;
}

/* Returns -ESRCH when it is gone. */
static int account(struct process *process, bool sampling)
{
    uint64_t cpu_time_ns = 0;
    int error = privilege_read_cpu_time(process->pid, &cpu_time_ns);
    if (error)
        return error;
    if (sampling && cpu_time_ns > process->cpu_time_ns)
        process->accounted_ns += cpu_time_ns - process->cpu_time_ns;
    process->cpu_time_ns = cpu_time_ns;
    process->sampled_at_read_ns = process->sampled_ns;
    return 0;
}

void process_tree_account(struct process_tree *tree, bool sampling, uint64_t now_ns)
{
    for (size_t i = tree->count; i-- > 0;) { /* the last one takes the place of one that ended */
        struct process *process = tree->processes[i];
        if (!process->ended && account(process, sampling) == -ESRCH && i > 0)
            process_tree_end(tree, process, now_ns);
    }
}

uint64_t process_tree_accounted_ns(const struct process_tree *tree)
{
    uint64_t sum_ns = tree->forgotten_ns;
    for (size_t i = 0; i < tree->count; i++)
        sum_ns += accounted_of(tree->processes[i]);
    for (const struct process *ended = tree->first_ended; ended; ended = ended->next_ended)
        sum_ns += accounted_of(ended);
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
    return tree->count - tree->processes[0]->ended;
}

int process_tree_renew(struct process_tree *tree, const struct target *target)
{
    const struct module *module;
    int error = module_table_renew(tree->modules, target, &module);
    if (error || !module)
        return error ? error : -EAGAIN;
    for (size_t i = 0; i < tree->count; i++)
        address_space_renew(tree->processes[i]->space, module);
    for (const struct process *ended = tree->first_ended; ended; ended = ended->next_ended)
        address_space_renew(ended->space, module);
    return 0;
}
