/*
 * image SECONDS FILE: writes code to FILE, which is no ELF file, and runs it from there, as
 * run-time systems do that start from an image. All of its time is there.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "target.h"

/* The largest page on the architectures known here. */
#define PAGE 65536

/* A section whose name is that of a C variable: the linker says where it begins and ends. */
#define WRITTEN __attribute__((section("written_text")))
extern char __start_written_text[], __stop_written_text[];

WRITTEN OPAQUE static uint64_t work(uint64_t value)
{
    WORK(value, 100000);
    return value;
}

/* Behind a first page of what is no code. */
static void write_image(const char *path)
{
    static char page[PAGE] = "an image of its own form";
    size_t bytes = (size_t)(__stop_written_text - __start_written_text);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(page, sizeof page, 1, file) != 1 ||
        fwrite(__start_written_text, bytes, 1, file) != 1 || fclose(file))
        exit(1);
}

static void *map_image(const char *path)
{
    int file = open(path, O_RDONLY);
    void *code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, PAGE);
    if (code == MAP_FAILED)
        exit(1);
    return code;
}

int main(int argc, char **argv)
{
    uint64_t (*function)(uint64_t) = work;
    if (argc > 2) {
        write_image(argv[2]);
        uintptr_t offset = (uintptr_t)work - (uintptr_t)__start_written_text;
        void *code = (char *)map_image(argv[2]) + offset;
        memcpy(&function, &code, sizeof function);
    }
    target_start(argc, argv);
    for (uint64_t value = 1;;)
        value = function(value);
}
