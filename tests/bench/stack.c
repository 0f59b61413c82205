/*
 * stack PID: the stack of the stopped process PID by the unwind stage, from its registers and the
 * bytes of its stack: "0xRUNTIME_IP module+0xVADDR" per frame, leaf first, then how it ended.
 * Run-time addresses are those that eu-stack and gdb print.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/address_space.h"
#include "unwind/unwinder.h"

#define STACK_BYTES 65000
#define KNOWN_MAX 8192

/* The run-time addresses that the unwinder asked about, to print them with what it found. */
static struct {
    uint64_t ip, vaddr;
    uint32_t module;
} known[KNOWN_MAX];
static size_t known_count;

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    const struct module *module = address_space_find(user, ip, ret_vaddr);
    if (module && known_count < KNOWN_MAX) {
        known[known_count].ip = ip;
        known[known_count].vaddr = *ret_vaddr;
        known[known_count++].module = module->id;
    }
    return module;
}

/* A module is mapped once in what is measured: vaddr and address differ by one bias. */
static uint64_t runtime_ip(const struct raw_frame *frame)
{
    for (size_t i = 0; i < known_count; i++)
        if (known[i].module == frame->module)
            return frame->vaddr - known[i].vaddr + known[i].ip;
    return 0;
}

static int take_sample(pid_t pid, unsigned char *stack, struct sample *ret_sample)
{
    const struct register_order *order = &architecture_own.regset;
    uint64_t words[REGISTER_ORDER_MAX];
    int status = 0;
    if (privilege_ptrace_seize(pid) || privilege_ptrace_interrupt(pid) ||
        waitpid(pid, &status, __WALL) != pid ||
        privilege_ptrace_registers(pid, words, order->count))
        return -1;
    registers_take(&ret_sample->registers, order, words);
    ret_sample->has_user = true;
    ret_sample->stack = stack;
    int error = privilege_read_memory_part(pid, ret_sample->registers.values[architecture_own.sp],
                                           stack, STACK_BYTES, &ret_sample->stack_bytes);
    ret_sample->stack_cut = ret_sample->stack_bytes == STACK_BYTES;
    return error;
}

int main(int argc, char **argv)
{
    pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
    struct target *target = NULL;
    struct module_table *modules = NULL;
    struct address_space *space = NULL;
    struct unwinder *unwinder = NULL;
    if (pid <= 0 || target_open(pid, &target) || module_table_new(target, &modules) ||
        address_space_new(modules, &space) || address_space_read(space, pid) ||
        unwinder_new(&architecture_own, &unwinder))
        return 1;
    static unsigned char bytes[STACK_BYTES];
    static struct raw_stack stack;
    struct sample sample = {.pid = pid, .tid = pid};
    if (take_sample(pid, bytes, &sample))
        return 1;
    struct unwind_space where = {find, space, module_table_kernel(modules)};
    unwinder_run(unwinder, &sample, &where, &stack);
    privilege_ptrace_detach(pid, 0);
    for (size_t i = 0; i < stack.count; i++) {
        const struct raw_frame *frame = &stack.frames[i];
        if (frame->module)
            printf("%#" PRIx64 " %s+%#" PRIx64 "\n", runtime_ip(frame),
                   module_table_get(modules, frame->module)->path, frame->vaddr);
    }
    printf("end %s\n", stack.end == STACK_END_ROOT ? "root" : stack_end_name(stack.end));
    return 0;
}
