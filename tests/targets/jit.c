/*
 * A run-time compiler in small: two functions of machine code, listed in /tmp/perf-PID.map; the
 * second one only when SIGUSR1 asks for it. With a second argument, the code is in shared memory
 * that is mapped twice.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "target.h"

#if defined(__x86_64__)
static const unsigned char code[] = {
    0x55,             /* push %rbp */
    0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
    0x48, 0xff, 0xcf, /* 1: dec %rdi */
    0x75, 0xfb,       /* jnz 1b */
    0x5d,             /* pop %rbp */
    0xc3,             /* ret */
};
#elif defined(__aarch64__)
static const uint32_t code[] = {
    0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
    0x910003fd, /* mov x29, sp */
    0xf1000400, /* 1: subs x0, x0, #1 */
    0x54ffffe1, /* b.ne 1b */
    0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
    0xd65f03c0, /* ret */
};
#endif

#define APART 64 /* bytes from one function to the next */
#define STEPS 300000

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    (void)number;
    asked = 1;
}

static void list(const char *mode, const unsigned char *at, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
    FILE *file = fopen(path, mode);
    if (!file)
        exit(1);
    fprintf(file, "%" PRIxPTR " %zx %s\n", (uintptr_t)at, sizeof code, name);
    fclose(file);
}

static void write_code(unsigned char *page)
{
    memcpy(page, code, sizeof code);
    memcpy(page + APART, code, sizeof code);
}

static unsigned char *compile(void)
{
    unsigned char *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        exit(1);
    write_code(page);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
        exit(1);
    return page;
}

static unsigned char *compile_shared(void)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 4096))
        exit(1);
    unsigned char *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (writable == MAP_FAILED || page == MAP_FAILED)
        exit(1);
    write_code(writable);
    return page;
}

int main(int argc, char **argv)
{
    unsigned char *page = argc > 2 ? compile_shared() : compile();
    __builtin___clear_cache((char *)page, (char *)page + 4096);
    void (*first)(uint64_t), (*second)(uint64_t);
    unsigned char *second_code = page + APART;
    memcpy(&first, &page, sizeof first);
    memcpy(&second, &second_code, sizeof second);

    signal(SIGUSR1, on_signal);
    list("w", page, "compiled first");
    target_start(argc, argv);
    for (;;) {
        first((uint64_t)3 * STEPS); /* known: first */
        second(STEPS);              /* known: second */
        if (asked) {
            asked = 0;
            list("a", second_code, "compiled second");
        }
    }
}
