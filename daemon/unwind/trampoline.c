/* Recognises the code that signal handlers return to. */
#include "unwind/trampoline.h"

#include <string.h>

#include "base/cleanup.h"
#include "unwind/code.h"

static bool is_code_at(const struct module *module, uint64_t vaddr, const uint8_t *code,
                       size_t length)
{
    uint8_t bytes[sizeof((struct signal_trampoline *)0)->code];
    return code_read(module, vaddr, length, bytes) && memcmp(bytes, code, length) == 0;
}

bool trampoline_is_at(const struct signal_trampoline *trampoline, const struct module *module,
                      uint64_t vaddr)
{
    const uint64_t starts[] = {vaddr, vaddr + 1, vaddr - trampoline->second};
    for (size_t i = 0; i < array_length(starts); i++)
        if (is_code_at(module, starts[i], trampoline->code, trampoline->code_bytes))
            return true;
    return false;
}
