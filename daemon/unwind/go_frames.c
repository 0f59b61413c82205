/* Makes rules of the frame sizes in Go's table of functions. */
#include "unwind/go_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/go_module.h"

struct go_frames {
    struct go_module module;
};

int go_frames_open(const struct module *module, struct go_frames **ret_frames)
{
    struct go_module opened;
    int error = module->fd < 0 ? -ENOENT : go_module_open(module->fd, &opened);
    if (error)
        return error;
    struct go_frames *frames = malloc(sizeof *frames);
    if (!frames) {
        go_module_close(&opened);
        return -ENOMEM;
    }
    frames->module = opened;
    *ret_frames = frames;
    return 0;
}

void go_frames_free(struct go_frames *frames)
{
    if (!frames)
        return;
    go_module_close(&frames->module);
    free(frames);
}

size_t go_frames_bytes(const struct go_frames *frames)
{
    return frames ? frames->module.length : 0;
}

/*
 * The call has pushed the return address onto what the size counts; whoever has a frame saves the
 * frame pointer first (src/cmd/internal/obj/x86/obj6.go).
 */
static struct cfi_rule pushed(const struct architecture *architecture, int32_t bytes)
{
    return (struct cfi_rule){
        .kind = CFI_RULE,
        .cfa_register = architecture->sp,
        .cfa_offset = bytes + 8,
        .return_offset = -8,
        .fp_saved = bytes > 0,
        .fp_offset = -16,
    };
}

/*
 * A frame begins with the return address; without a frame, it is in the link register. The frame
 * pointer is saved below the stack pointer (src/cmd/internal/obj/arm64/obj7.go).
 */
static struct cfi_rule linked(const struct architecture *architecture, int32_t bytes)
{
    return (struct cfi_rule){
        .kind = CFI_RULE,
        .cfa_register = architecture->sp,
        .cfa_offset = bytes,
        .return_in_lr = bytes == 0,
        .return_offset = -bytes,
    };
}

/* Before Go 1.17, the runtime knew such functions of its own one by one (topofstack). */
static uint8_t flags_by_name(const char *name)
{
    static const struct {
        const char *name;
        uint8_t flags;
    } known[] = {
        {"runtime.goexit", GO_FUNCTION_TOP},
        {"runtime.mstart", GO_FUNCTION_TOP},
        {"runtime.rt0_go", GO_FUNCTION_TOP},
        {"runtime.mcall", GO_FUNCTION_SETS_STACK},
        {"runtime.morestack", GO_FUNCTION_SETS_STACK},
        {"runtime.systemstack", GO_FUNCTION_SETS_STACK},
        {"runtime.asmcgocall", GO_FUNCTION_SETS_STACK},
        {"runtime.nanotime1", GO_FUNCTION_SETS_STACK},
        {"runtime.walltime1", GO_FUNCTION_SETS_STACK},
    };
    for (size_t i = 0; i < array_length(known); i++)
        if (!strcmp(name, known[i].name))
            return known[i].flags;
    return 0;
}

/* The kernel calls the handler of signals: what it interrupted is beyond. */
static uint8_t flags_of(const struct go_pclntab *table, const struct go_function *function)
{
    if (table->version <= GO_1_16)
        return flags_by_name(function->name);
    bool is_handler = !strcmp(function->name, "runtime.sigtramp");
    return function->flags & (is_handler ? ~GO_FUNCTION_TOP : ~0);
}

struct cfi_rule go_frames_rule(const struct go_frames *frames,
                               const struct architecture *architecture, uint64_t vaddr)
{
    struct go_function function;
    const struct cfi_rule none = {.kind = CFI_NONE};
    if (!frames || go_pclntab_find(&frames->module.table, vaddr, &function))
        return none;
    uint8_t flags = flags_of(&frames->module.table, &function);
    if (flags & GO_FUNCTION_TOP)
        return (struct cfi_rule){.kind = CFI_ROOT};
    int32_t bytes = go_function_frame_bytes(&frames->module.table, &function, vaddr);
    if (bytes < 0 || bytes > INT32_MAX - 8)
        return none;
    struct cfi_rule rule = architecture->lr == REGISTER_NONE ? pushed(architecture, bytes)
                                                             : linked(architecture, bytes);
    rule.switches_stack = flags & GO_FUNCTION_SETS_STACK;
    return rule;
}
