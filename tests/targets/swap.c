/*
 * swap SECONDS PLUGIN TWIN: loads one library, works in it and unloads it, then the same with the
 * other one, over and over. Who calls into a library says which one it is.
 */
#include <dlfcn.h>
#include <string.h>

#include "target.h"

/* Of some 0.3 ms each. */
#define CALLS 16

typedef uint64_t work_fn(uint64_t value);

static OPAQUE uint64_t call_plugin(work_fn *work, uint64_t value)
{
    for (int i = 0; i < CALLS; i++)
        value = work(value);
    BARRIER(value);
    return value;
}

static OPAQUE uint64_t call_twin(work_fn *work, uint64_t value)
{
    for (int i = 0; i < CALLS; i++)
        value = work(value);
    BARRIER(value);
    return value + 1;
}

static uint64_t work_once(const char *path, const char *name, uint64_t value,
                          uint64_t (*call)(work_fn *work, uint64_t value))
{
    void *library = dlopen(path, RTLD_NOW), *work = library ? dlsym(library, name) : NULL;
    work_fn *function = NULL;
    if (!work)
        exit(1);
    memcpy(&function, &work, sizeof function);
    value = call(function, value);
    dlclose(library);
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    if (argc < 4)
        return 2;
    target_start(argc, argv);
    for (;;) {
        value = work_once(argv[2], "plugin_work", value, call_plugin);
        value = work_once(argv[3], "twin_work", value, call_twin);
    }
}
