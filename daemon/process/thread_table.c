/* The threads of a target. */
#include "process/thread_table_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "process/proc_text.h"

/* Past this many threads, new ones share one entry: a target that churns must not fill memory. */
#define THREADS_MAX 8192

int thread_table_new(struct thread_table **ret_table)
{
    *ret_table = calloc(1, sizeof **ret_table);
    return *ret_table ? 0 : -ENOMEM;
}

void thread_table_free(struct thread_table *table)
{
    if (!table)
        return;
    free(table->entries);
    free(table->unused);
    index_clear(&table->index);
    free(table);
}

static uint64_t count_of(pid_t pid)
{
    return hash_u64((uint64_t)pid) % LIVING_COUNTS;
}

static void set_living(struct thread_table *table, struct entry *entry, pid_t pid, pid_t tid)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): as in thread_table_find() */
    *entry = (struct entry){.thread = {.pid = pid, .tid = tid, .state = THREAD_RUNNING}};
    table->living[count_of(pid)]++;
}

void thread_entry_exited(struct thread_table *table, struct entry *entry)
{
    if (entry->thread.state != THREAD_EXITED)
        table->living[count_of(entry->thread.pid)]--;
    entry->thread.state = THREAD_EXITED;
}

struct wanted {
    const struct thread_table *table;
    pid_t pid, tid;
    uint32_t *ended; /* NULL or where the last one goes that has ended */
};

static bool is_wanted(const void *user, uint32_t position)
{
    const struct wanted *wanted = user;
    const struct profile_thread *thread = &wanted->table->entries[position].thread;
    if (thread->tid != wanted->tid)
        return false;
    if (thread->state == THREAD_EXITED && wanted->ended && thread->pid == wanted->pid)
        *wanted->ended = position;
    return thread->state != THREAD_EXITED;
}

static uint64_t hash_of(const void *user, uint32_t position)
{
    const struct wanted *wanted = user;
    return hash_u64((uint64_t)wanted->table->entries[position].thread.tid);
}

/* Where the living thread is, or INDEX_EMPTY. */
static uint32_t search(const struct wanted *wanted)
{
    return index_find(&wanted->table->index, hash_u64((uint64_t)wanted->tid), is_wanted, wanted);
}

/* The living thread `tid`, or NULL. */
static struct entry *find(const struct thread_table *table, pid_t tid)
{
    uint32_t at = search(&(struct wanted){.table = table, .tid = tid});
    return at == INDEX_EMPTY ? NULL : &table->entries[at];
}

/*
 * The thread `tid` that records still tell of, or NULL: the living one, or the last one whose end
 * was seen, for which records that are not read yet may be from before. After a record of its end
 * they are of another thread.
 */
static struct entry *find_untold(const struct thread_table *table, pid_t pid, pid_t tid)
{
    uint32_t ended = INDEX_EMPTY;
    uint32_t at = search(&(struct wanted){table, pid, tid, &ended});
    if (at == INDEX_EMPTY && ended != INDEX_EMPTY && !table->entries[ended].end_told)
        at = ended;
    return at == INDEX_EMPTY ? NULL : &table->entries[at];
}

static int add_to_index(struct thread_table *table, uint32_t position)
{
    struct wanted wanted = {.table = table};
    if (table->index.count <= 2 * table->count + 64)
        return index_add(&table->index, hash_of(&wanted, position), position, hash_of, &wanted);
    /* Entries that were used again left their old places behind: begin anew. */
    int error = 0;
    index_reset(&table->index);
    for (uint32_t i = 0; i < table->count && !error; i++)
        error = index_add(&table->index, hash_of(&wanted, i), i, hash_of, &wanted);
    return error;
}

bool thread_table_is_full(const struct thread_table *table)
{
    return table->count > THREADS_MAX;
}

/* A place for a new thread: one that nobody needs any more, a new one, or the shared one. */
static int allocate(struct thread_table *table, uint32_t *ret_position)
{
    if (table->unused_count) {
        *ret_position = table->unused[--table->unused_count];
    } else if (thread_table_is_full(table)) {
        *ret_position = THREADS_MAX;
    } else {
        if (array_reserve(&table->entries, &table->capacity, table->count + 1,
                          sizeof *table->entries))
            return -ENOMEM;
        *ret_position = (uint32_t)table->count;
        table->entries[table->count++] = (struct entry){0};
    }
    return 0;
}

int thread_table_find(struct thread_table *table, pid_t pid, pid_t tid, uint32_t *ret_index)
{
    const struct entry *known = find(table, tid);
    uint32_t position = 0;
    int error = known ? 0 : allocate(table, &position);
    if (error)
        return error;
    /* NOLINTBEGIN(clang-analyzer-core.NullDereference): there is room, or allocate() made some. */
    if (known) {
        position = (uint32_t)(known - table->entries);
    } else if (position < THREADS_MAX) {
        set_living(table, &table->entries[position], pid, tid);
        error = add_to_index(table, position);
    } else if (table->entries[position].thread.name[0] == '\0') {
        table->entries[position] =
            (struct entry){.thread = {.name = "[other threads]", .state = THREAD_EXITED}};
    }
    /* NOLINTEND(clang-analyzer-core.NullDereference) */
    *ret_index = position;
    return error;
}

bool thread_has_ended(const struct profile_thread *thread)
{
    return syscall(SYS_tgkill, thread->pid, thread->tid, 0) < 0 && errno == ESRCH;
}

/* It is needed after all. */
static void keep(struct thread_table *table, uint32_t position)
{
    for (size_t i = table->unused_count; i-- > 0;) {
        if (table->unused[i] == position) {
            table->unused[i] = table->unused[--table->unused_count];
            return;
        }
    }
}

static void set_name(struct profile_thread *thread, const char *name)
{
    snprintf(thread->name, sizeof thread->name, "%s", name);
}

/* It may have ended already: what would tell of that has been told. */
static int add_sampled(struct thread_table *table, pid_t pid, pid_t tid, uint32_t *ret_index)
{
    int error = thread_table_find(table, pid, tid, ret_index);
    struct entry *entry = error ? NULL : &table->entries[*ret_index];
    if (entry && (tid == 0 || thread_has_ended(&entry->thread)))
        thread_entry_exited(table, entry);
    if (entry && tid == 0 && !entry->thread.name[0])
        set_name(&entry->thread, "[ended threads]");
    return error;
}

int thread_table_find_sampled(struct thread_table *table, pid_t pid, pid_t tid, uint32_t *ret_index)
{
    uint32_t ended = INDEX_EMPTY;
    uint32_t at = search(&(struct wanted){table, pid, tid, &ended});
    if (at == INDEX_EMPTY && ended == INDEX_EMPTY)
        return add_sampled(table, pid, tid, ret_index);
    if (at == INDEX_EMPTY)
        keep(table, ended);
    *ret_index = at == INDEX_EMPTY ? ended : at;
    return 0;
}

void thread_table_rename(struct thread_table *table, pid_t pid, pid_t tid, const char *name)
{
    struct entry *entry = find_untold(table, pid, tid);
    if (entry)
        set_name(&entry->thread, name);
}

int thread_table_fork(struct thread_table *table, pid_t parent_tid, pid_t pid, pid_t tid)
{
    uint32_t index = 0;
    int error = thread_table_find(table, pid, tid, &index);
    if (error)
        return error;
    const struct entry *parent = find(table, parent_tid);
    struct profile_thread *thread = &table->entries[index].thread;
    if (parent && !thread->name[0])
        memmove(thread->name, parent->thread.name, sizeof thread->name);
    return 0;
}

void thread_entry_gone(struct thread_table *table, struct entry *entry)
{
    thread_entry_exited(table, entry);
    if (entry->thread.hits == 0 && !array_reserve(&table->unused, &table->unused_capacity,
                                                  table->unused_count + 1, sizeof(uint32_t)))
        table->unused[table->unused_count++] = (uint32_t)(entry - table->entries);
}

void thread_table_exit(struct thread_table *table, pid_t pid, pid_t tid)
{
    struct entry *entry = find_untold(table, pid, tid);
    if (!entry)
        return;
    if (entry->thread.state != THREAD_EXITED)
        thread_entry_gone(table, entry);
    entry->end_told = true;
}

void thread_table_exit_all(struct thread_table *table, pid_t pid)
{
    for (size_t i = 0; i < table->count; i++)
        if (pid == 0 || table->entries[i].thread.pid == pid)
            thread_entry_exited(table, &table->entries[i]);
}

bool thread_table_has_living(const struct thread_table *table, pid_t pid)
{
    for (size_t i = 0; i < table->count && table->living[count_of(pid)]; i++) {
        const struct profile_thread *thread = &table->entries[i].thread;
        if (thread->pid == pid && thread->state != THREAD_EXITED)
            return true;
    }
    return false;
}

void thread_table_sample(struct thread_table *table, uint32_t index, uint64_t weight_ns)
{
    table->entries[index].thread.hits++;
    table->entries[index].thread.sampled_ns += weight_ns;
}

int thread_table_adopt(struct thread_table *table, pid_t pid, pid_t tid)
{
    uint32_t index = 0;
    if (find(table, tid))
        return 0;
    int error = thread_table_find(table, pid, tid, &index);
    if (!error)
        thread_entry_read(&table->entries[index]);
    return error;
}

int thread_table_exec(struct thread_table *table, pid_t pid, pid_t tid)
{
    return find_untold(table, pid, tid) ? 0 : thread_table_adopt(table, pid, tid);
}

int thread_table_scan(struct thread_table *table, pid_t pid, bool from_birth)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, 0, PROC_TASK, &fd);
    if (error)
        return error;
    DIR *directory = fdopendir(fd);
    if (!directory)
        return -errno;
    (void)take_fd(&fd);
    const struct dirent *item;
    uint32_t index = 0;
    while (!error && (item = readdir(directory))) {
        pid_t tid = (pid_t)strtol(item->d_name, NULL, 10);
        if (tid > 0)
            error = from_birth ? thread_table_find(table, pid, tid, &index)
                               : thread_table_adopt(table, pid, tid);
    }
    closedir(directory);
    return error;
}

int thread_table_copy(const struct thread_table *table, struct profile_thread **ret_threads,
                      size_t *ret_count, uint32_t *ret_alive)
{
    struct profile_thread *threads = calloc(table->count + 1, sizeof *threads);
    if (!threads)
        return -ENOMEM;
    uint32_t alive = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->entries[i];
        threads[i] = entry->thread;
        /* Since the last reading, and after a thread's end, its samples are the best account. */
        threads[i].accounted_ns += entry->thread.sampled_ns - entry->sampled_at_read_ns;
        alive += entry->thread.state != THREAD_EXITED;
    }
    *ret_threads = threads;
    *ret_count = table->count;
    *ret_alive = alive;
    return 0;
}
