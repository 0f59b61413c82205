/* Recognises the code that signal handlers return to. */
#include "unwind/trampoline.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_code_at(const struct module *module, uint64_t vaddr, const uint8_t *code,
                       size_t length)
{
    uint8_t bytes[sizeof((struct signal_trampoline *)0)->code];
    for (size_t i = 0; i < module->segment_count; i++) {
        const struct module_segment *segment = &module->segments[i];
        uint64_t at = vaddr - segment->vaddr;
        if (vaddr < segment->vaddr || at >= segment->bytes || segment->bytes - at < length)
            continue;
        return segment->offset <= INT64_MAX - at &&
               pread(module->fd, bytes, length, (off_t)(segment->offset + at)) == (ssize_t)length &&
               memcmp(bytes, code, length) == 0;
    }
    return false;
}

bool trampoline_is_at(const struct signal_trampoline *trampoline, const struct module *module,
                      uint64_t vaddr)
{
    const uint64_t starts[] = {vaddr, vaddr + 1, vaddr - trampoline->second};
    for (size_t i = 0; i < array_length(starts) && module->fd >= 0; i++)
        if (is_code_at(module, starts[i], trampoline->code, trampoline->code_bytes))
            return true;
    return false;
}
