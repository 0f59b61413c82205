/* Loads a library, works in it and unloads it, over and over; maps and unmaps memory in between. */
#include <dlfcn.h>
#include <sys/mman.h>

#include "target.h"

#define MAPPED_BYTES ((size_t)1 << 20)

static uint64_t work_once(const char *path, uint64_t value)
{
    void *library = dlopen(path, RTLD_NOW);
    uint64_t (*work)(uint64_t) = NULL;
    if (!library)
        exit(1);
    *(void **)&work = dlsym(library, "plugin_work");
    if (!work)
        exit(1);
    value = work(value);
    BARRIER(value);
    dlclose(library);
    void *memory =
        mmap(NULL, MAPPED_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        munmap(memory, MAPPED_BYTES);
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    if (argc < 3)
        return 2;
    target_start(argc, argv);
    for (;;)
        value = work_once(argv[2], value);
}
