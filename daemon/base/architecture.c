/* The architectures: System V psABI for AMD64, DWARF and AAPCS for the Arm 64-bit Architecture. */
#include "lprofd/architecture.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

#define NONE REGISTER_NONE

const struct architecture architecture_x86_64 = {
    .name = "x86-64",
    .elf_machine = EM_X86_64,
    .ip = 16,
    .sp = 7,
    .fp = 6,
    .lr = NONE,
    .kept_mask = 0xf048, /* bx bp r12 ... r15 */
    .record_ends_frame = true,
    .perf_mask = UINT64_C(0xff01ff), /* ax bx cx dx si di bp sp ip, r8 ... r15 */
    .perf = {17, {0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15}},
    /* r15 ... r12 bp bx r11 ... r8 ax cx dx si di orig_rax ip cs eflags sp and seven segments */
    .regset = {27, {15, 14,   13, 12,   6,    3, 11,   10,   9,    8,    0,    2,    1,   4,
                    5,  NONE, 16, NONE, NONE, 7, NONE, NONE, NONE, NONE, NONE, NONE, NONE}},
    /* mov $15, %rax; syscall. The frame begins with struct ucontext. */
    .trampoline = {.code = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05},
                   .code_bytes = 9,
                   .second = 7,
                   .fp = 120,
                   .sp = 160,
                   .ip = 168,
                   .stack = 16},
};

const struct architecture architecture_aarch64 = {
    .name = "aarch64",
    .elf_machine = EM_AARCH64,
    .ip = 32,
    .sp = 31,
    .fp = 29,
    .lr = 30,
    .kept_mask = 0x3ff80000,            /* x19 ... x29 */
    .perf_mask = UINT64_C(0x1ffffffff), /* x0 ... x30 sp pc */
    .perf = {33, {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                  17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32}},
    /* x0 ... x30 sp pc pstate */
    .regset = {34, {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, NONE}},
    /* mov x8, #139; svc #0. 128 bytes of siginfo, and struct sigcontext 176 bytes into ucontext:
     * the fault's address, then registers in the order above. */
    .trampoline = {.code = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4},
                   .code_bytes = 8,
                   .second = 4,
                   .fp = 312 + 29 * 8,
                   .lr = 312 + 30 * 8,
                   .sp = 312 + 31 * 8,
                   .ip = 312 + 32 * 8,
                   .stack = 144},
};

const struct architecture *architecture_of_machine(uint16_t elf_machine)
{
    static const struct architecture *const all[] = {&architecture_x86_64, &architecture_aarch64};
    for (size_t i = 0; i < array_length(all); i++)
        if (all[i]->elf_machine == elf_machine)
            return all[i];
    return NULL;
}

void registers_take(struct registers *registers, const struct register_order *order,
                    const void *words)
{
    const unsigned char *from = words;
    for (unsigned i = 0; i < order->count; i++) {
        unsigned number = order->numbers[i];
        if (number == NONE)
            continue;
        memcpy(&registers->values[number], from + i * sizeof(uint64_t), sizeof(uint64_t));
        registers->valid |= UINT64_C(1) << number;
    }
}

/* Where programs may have 48 bits of address, signatures are above; bit 55 is never part of one. */
#define AARCH64_CODE_MASK ((UINT64_C(1) << 48) - 1)

uint64_t architecture_code_mask(const struct architecture *architecture)
{
    if (architecture != &architecture_aarch64)
        return UINT64_MAX;
#ifdef __aarch64__
    /* xpaclri, which does nothing on older processors: strips the signature off x30. */
    register uint64_t bits __asm__("x30") = ~(UINT64_C(1) << 55);
    __asm__("hint #7" : "+r"(bits));
    return bits & ((UINT64_C(1) << 55) - 1);
#else
    return AARCH64_CODE_MASK;
#endif
}
