/*
 * Calls machine code that keeps no frame record, as some run-time compilers make, from a function
 * that does.
 */
#include <string.h>
#include <sys/mman.h>

#include "target.h"

#define STEPS 300000

#if defined(__x86_64__)
static const unsigned char code[] = {
    0x48, 0x83, 0xec, 0x18, /* sub $24, %rsp */
    0x48, 0xff, 0xcf,       /* 1: dec %rdi */
    0x75, 0xfb,             /* jnz 1b */
    0x48, 0x83, 0xc4, 0x18, /* add $24, %rsp */
    0xc3,                   /* ret */
};
#elif defined(__aarch64__)
static const uint32_t code[] = {
    0xd10083ff, /* sub sp, sp, #32 */
    0xf1000400, /* 1: subs x0, x0, #1 */
    0x54ffffe1, /* b.ne 1b */
    0x910083ff, /* add sp, sp, #32 */
    0xd65f03c0, /* ret */
};
#endif

typedef void function_fn(uint64_t steps);

/* Room whose size is not known before takes a frame pointer. */
static OPAQUE uint64_t owner(function_fn *function, size_t bytes)
{
    volatile unsigned char room[bytes];
    room[0] = 1;
    function(STEPS);
    return room[0];
}

static OPAQUE uint64_t outer(function_fn *function)
{
    uint64_t value = owner(function, 100);
    BARRIER(value);
    return value;
}

int main(int argc, char **argv)
{
    function_fn *function = NULL;
    void *memory =
        mmap(NULL, sizeof code, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    memcpy(memory, code, sizeof code);
    if (mprotect(memory, sizeof code, PROT_READ | PROT_EXEC) < 0)
        return 1;
    memcpy(&function, &memory, sizeof function);
    target_start(argc, argv);
    for (;;)
        outer(function);
}
