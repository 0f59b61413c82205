/*
 * moved SECONDS: moves two of its functions to anonymous memory in their place, as programs do that
 * want their text on huge pages. With "mremap" the copy is moved there, else it is made there. One
 * part in four of its time is in the first function, the rest in the second.
 */
#include <string.h>
#include <sys/mman.h>

#include "target.h"

#define UNIT 100000
/* The largest page on the architectures known here. */
#define PAGE 65536

/* A section whose name is that of a C variable: the linker says where it begins and ends. */
#define MOVED __attribute__((section("moved_text")))
extern char __start_moved_text[], __stop_moved_text[];

MOVED __attribute__((aligned(PAGE))) OPAQUE static uint64_t first(uint64_t value)
{
    WORK(value, UNIT); /* known: first */
    return value;
}

MOVED OPAQUE static uint64_t second(uint64_t value)
{
    WORK(value, 3 * UNIT); /* known: second */
    return value;
}

/* Whole pages: nothing else is on the last one. */
MOVED __attribute__((aligned(PAGE), used)) static void last(void)
{
}

static void *map_code(void *place, size_t bytes, int flags)
{
    void *code = mmap(place, bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (code == MAP_FAILED)
        exit(1);
    return code;
}

static void move_text(int by_mremap)
{
    char *place = __start_moved_text;
    size_t bytes = (size_t)(__stop_moved_text - place) / PAGE * PAGE;
    void *copy = map_code(NULL, bytes, 0);
    memcpy(copy, place, bytes);
    if (by_mremap) {
        if (mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED)
            exit(1);
    } else {
        memcpy(map_code(place, bytes, MAP_FIXED), copy, bytes);
        munmap(copy, bytes);
    }
    mprotect(place, bytes, PROT_READ | PROT_EXEC);
}

int main(int argc, char **argv)
{
    move_text(argc > 2 && strcmp(argv[2], "mremap") == 0);
    target_start(argc, argv);
    for (uint64_t value = 1;;)
        value = second(first(value));
}
