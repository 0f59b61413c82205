/*
 * A run-time compiler in small: two functions of machine code, listed in /tmp/perf-PID.map; the
 * second one only when SIGUSR1 asks for it; SIGUSR2 lists other code in place of the first. On
 * SIGHUP it executes itself with "silent", and lists nothing then. With "shared", the code is in
 * shared memory that is mapped twice. With "dump FILE", it is told in jit-PID.dump instead of the
 * map, with lines of FILE: what comes before the loop is of line 1, the loop and what follows of
 * line 2.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

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

static volatile sig_atomic_t asked; /* the signal */

static void on_signal(int number)
{
    asked = number;
}

#if defined(__x86_64__)
#define MACHINE 62
#define LOOP_OFFSET 4
#else
#define MACHINE 183
#define LOOP_OFFSET 8
#endif

static void dump_u32(FILE *file, uint32_t value)
{
    fwrite(&value, sizeof value, 1, file);
}

static void dump_u64(FILE *file, uint64_t value)
{
    fwrite(&value, sizeof value, 1, file);
}

static void dump_prefix(FILE *file, uint32_t id, size_t body_bytes)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    dump_u32(file, id);
    dump_u32(file, (uint32_t)(16 + body_bytes));
    dump_u64(file, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/* Linux, tools/perf/Documentation/jitdump-specification.txt: its file, and the mapping that tells.
 */
static FILE *open_dump(void)
{
    char path[64];
    snprintf(path, sizeof path, "jit-%d.dump", (int)getpid());
    FILE *file = fopen(path, "w+");
    if (!file)
        exit(1);
    dump_u32(file, 0x4a695444);
    dump_u32(file, 1);
    dump_u32(file, 40);
    dump_u32(file, MACHINE);
    dump_u32(file, 0);
    dump_u32(file, (uint32_t)getpid());
    dump_u64(file, 0);
    dump_u64(file, 0);
    fflush(file);
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(file), 0) == MAP_FAILED)
        exit(1);
    return file;
}

static void dump(FILE *file, const unsigned char *at, const char *name, const char *source)
{
    uint64_t start = (uintptr_t)at;
    dump_prefix(file, 2, 16 + 2 * 16 + strlen(source) + 1 + 2);
    dump_u64(file, start);
    dump_u64(file, 2);
    dump_u64(file, start);
    dump_u64(file, 1); /* line 1, no column */
    fwrite(source, strlen(source) + 1, 1, file);
    dump_u64(file, start + LOOP_OFFSET);
    dump_u64(file, 2);
    fwrite("\xff", 2, 1, file); /* the same file */

    dump_prefix(file, 0, 40 + strlen(name) + 1 + sizeof code);
    dump_u64(file, (uint32_t)getpid());
    dump_u64(file, start);
    dump_u64(file, start);
    dump_u64(file, sizeof code);
    dump_u64(file, start);
    fwrite(name, strlen(name) + 1, 1, file);
    fwrite(at, sizeof code, 1, file);
    fflush(file);
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

static void execute_again(char **argv)
{
    execl("/proc/self/exe", argv[0], argv[1], "silent", (char *)NULL);
    exit(1);
}

int main(int argc, char **argv)
{
    const char *way = argc > 2 ? argv[2] : "";
    const char *source = argc > 3 && strcmp(way, "dump") == 0 ? argv[3] : NULL;
    unsigned char *page = strcmp(way, "shared") == 0 ? compile_shared() : compile();
    FILE *file = source ? open_dump() : NULL;
    __builtin___clear_cache((char *)page, (char *)page + 4096);
    void (*first)(uint64_t), (*second)(uint64_t);
    unsigned char *second_code = page + APART;
    memcpy(&first, &page, sizeof first);
    memcpy(&second, &second_code, sizeof second);

    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    signal(SIGHUP, on_signal);
    if (file)
        dump(file, page, "compiled first", source);
    else if (strcmp(way, "silent") != 0)
        list("w", page, "compiled first");
    target_start(argc, argv);
    for (;;) {
        first((uint64_t)3 * STEPS); /* known: first */
        second(STEPS);              /* known: second */
        if (asked == SIGHUP)
            execute_again(argv);
        if (asked) {
            const unsigned char *at = asked == SIGUSR1 ? second_code : page;
            const char *name = asked == SIGUSR1 ? "compiled second" : "compiled anew";
            asked = 0;
            if (file)
                dump(file, at, name, source);
            else
                list("a", at, name);
        }
    }
}
