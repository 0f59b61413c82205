/* The machine code of modules, in their files. */
#include "unwind/code.h"

#include <unistd.h>

bool code_read(const struct module *module, uint64_t vaddr, size_t length, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < module->segment_count && module->fd >= 0; i++) {
        const struct module_segment *segment = &module->segments[i];
        uint64_t at = vaddr - segment->vaddr;
        if (vaddr < segment->vaddr || at >= segment->bytes || segment->bytes - at < length)
            continue;
        return segment->offset <= INT64_MAX - at &&
               pread(module->fd, ret_bytes, length, (off_t)(segment->offset + at)) ==
                   (ssize_t)length;
    }
    return false;
}

/* Intel's manual, volume 2, 2.1.3: how long an instruction of one opcode byte and ModRM is. */
static size_t modrm_instruction_length(const uint8_t *code)
{
    unsigned mode = code[1] >> 6, memory = code[1] & 7;
    if (mode == 3)
        return 2;
    size_t length = memory == 4 ? 3 : 2; /* a SIB byte */
    if (mode == 0)
        return memory == 5 || (memory == 4 && (code[2] & 7) == 5) ? length + 4 : length;
    return length + (mode == 1 ? 1 : 4);
}

/* FF /2; a prefix before it does not matter. */
static bool is_indirect_call(const uint8_t *code, size_t length)
{
    return code[0] == 0xff && (code[1] >> 3 & 7) == 2 && modrm_instruction_length(code) == length;
}

bool code_follows_indirect_call(const struct architecture *architecture,
                                const struct module *module, uint64_t vaddr)
{
    uint8_t code[7 + 1] = {0};
    if (architecture != &architecture_x86_64 || vaddr < 7 || !code_read(module, vaddr - 7, 7, code))
        return false;
    for (size_t length = 2; length <= 7; length++)
        if (is_indirect_call(code + 7 - length, length))
            return true;
    return false;
}
