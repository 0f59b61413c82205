/*
 * stack PID: the stacks of all threads of the stopped process PID by the unwind stage, from what a
 * sample of perf has: a few registers and a copy of the stack. For each thread "TID n", then
 * "0xRUNTIME_IP module+0xVADDR" per frame, leaf first, with " no CFI" where there is none, then
 * "end REASON". Run-time addresses are those that eu-stack and gdb print.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/address_space.h"
#include "unwind/cfi.h"
#include "unwind/unwinder.h"

/* The largest copy that perf makes (perf_event_open(2): sample_stack_user is 16 bits wide). */
#define STACK_BYTES 65528
#define KNOWN_MAX 8192

/* The run-time addresses that the unwinder asked about, to print them with what it found. */
struct lookup {
    struct address_space *space;
    struct cfi_cache *cfi;
    size_t count;
    struct {
        uint64_t ip, vaddr;
        uint32_t module;
    } known[KNOWN_MAX];
};

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    struct lookup *lookup = user;
    const struct module *module = address_space_find(lookup->space, ip, ret_vaddr);
    if (module && lookup->count < KNOWN_MAX) {
        lookup->known[lookup->count].ip = ip;
        lookup->known[lookup->count].vaddr = *ret_vaddr;
        lookup->known[lookup->count++].module = module->id;
    }
    return module;
}

/* A module may be mapped more than once: the addresses asked about come in the order of the frames.
 */
static uint64_t runtime_ip(const struct lookup *lookup, const struct raw_frame *frame,
                           size_t *cursor)
{
    uint64_t vaddr = frame->vaddr - frame->is_return_address;
    for (size_t i = *cursor; i < lookup->count; i++)
        if (lookup->known[i].module == frame->module && lookup->known[i].vaddr == vaddr) {
            *cursor = i + 1;
            return lookup->known[i].ip + frame->is_return_address;
        }
    return 0;
}

/* The registers that perf samples, and no others. */
static uint64_t sampled_registers(void)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < architecture_own.perf.count; i++)
        if (architecture_own.perf.numbers[i] != REGISTER_NONE)
            mask |= UINT64_C(1) << architecture_own.perf.numbers[i];
    return mask;
}

static int take_sample(pid_t tid, unsigned char *stack, struct sample *ret_sample)
{
    const struct register_order *order = &architecture_own.regset;
    uint64_t words[REGISTER_ORDER_MAX];
    int status = 0;
    if (privilege_ptrace_seize(tid) || privilege_ptrace_interrupt(tid) ||
        waitpid(tid, &status, __WALL) != tid ||
        privilege_ptrace_registers(tid, words, order->count))
        return -1;
    registers_take(&ret_sample->registers, order, words);
    ret_sample->registers.valid &= sampled_registers();
    ret_sample->has_user = true;
    ret_sample->stack = stack;
    int error = privilege_read_memory_part(tid, ret_sample->registers.values[architecture_own.sp],
                                           stack, STACK_BYTES, &ret_sample->stack_bytes);
    ret_sample->stack_cut = ret_sample->stack_bytes == STACK_BYTES;
    return error;
}

static void print_frame(struct lookup *lookup, const struct module *module,
                        const struct raw_frame *frame, size_t *cursor)
{
    uint64_t vaddr = frame->vaddr - frame->is_return_address;
    bool covered = module->kind != MODULE_ANONYMOUS &&
                   cfi_cache_find(lookup->cfi, module, vaddr).kind != CFI_NONE;
    printf("%#" PRIx64 " %s+%#" PRIx64 "%s\n", runtime_ip(lookup, frame, cursor), module->path,
           frame->vaddr, covered ? "" : " no CFI");
}

static int print_thread(struct unwinder *unwinder, const struct module_table *modules,
                        struct lookup *lookup, pid_t pid, pid_t tid)
{
    static unsigned char bytes[STACK_BYTES];
    static struct raw_stack stack;
    struct sample sample = {.pid = pid, .tid = tid};
    int error = take_sample(tid, bytes, &sample);
    privilege_ptrace_detach(tid, 0);
    if (error)
        return error;
    lookup->count = 0;
    struct unwind_space where = {.find = find,
                                 .user = lookup,
                                 .kernel = module_table_kernel(modules),
                                 .initial_sp = address_space_initial_sp(lookup->space)};
    unwinder_run(unwinder, &sample, &where, &stack);
    printf("TID %d\n", tid);
    size_t cursor = 0;
    for (size_t i = 0; i < stack.count; i++) {
        const struct raw_frame *frame = &stack.frames[i];
        if (frame->module)
            print_frame(lookup, module_table_get(modules, frame->module), frame, &cursor);
    }
    printf("end %s\n", stack.end == STACK_END_ROOT ? "root" : stack_end_name(stack.end));
    return 0;
}

int main(int argc, char **argv)
{
    pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
    static struct lookup lookup;
    struct target *target = NULL;
    struct module_table *modules = NULL;
    struct unwinder *unwinder = NULL;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = pid > 0 ? opendir(path) : NULL;
    if (!threads || target_open(pid, &target) || module_table_new(target, &modules) ||
        address_space_new(modules, &lookup.space) || address_space_read(lookup.space, pid) ||
        unwinder_new(&architecture_own, &unwinder) ||
        cfi_cache_new(&architecture_own, CFI_BYTES_MAX, &lookup.cfi))
        return 1;
    struct dirent *entry;
    int error = 0;
    while (!error && (entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            error = print_thread(unwinder, modules, &lookup, pid, atoi(entry->d_name));
    closedir(threads);
    cfi_cache_free(lookup.cfi);
    unwinder_free(unwinder);
    address_space_free(lookup.space);
    module_table_free(modules);
    target_free(target);
    return error != 0;
}
