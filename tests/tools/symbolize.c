/*
 * symbolize FILE: reads hexadecimal vaddrs of an ELF file, one per line, and prints for each what
 * the symbol stage knows: "0xADDRESS", then "function" and "path:line" of each frame, innermost
 * first, then an empty line.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lprofd/symbols.h"
#include "process/elf_file.h"

struct requests {
    struct symbol_request *items;
    size_t count, capacity;
};

static int read_requests(struct requests *requests)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int error = array_reserve(&requests->items, &requests->capacity, requests->count + 1,
                                  sizeof *requests->items);
        if (error)
            return error;
        requests->items[requests->count] = (struct symbol_request){
            .location = (uint32_t)requests->count,
            .vaddr = strtoull(line, NULL, 16),
        };
        requests->count++;
    }
    return 0;
}

static void print(const struct symbols *symbols, const struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++) {
        struct frame_span span = symbols_frames(symbols, (uint32_t)i);
        printf("%#" PRIx64 "\n", requests->items[i].vaddr);
        for (uint32_t k = 0; k < span.count; k++) {
            const char *path = symbols_file(symbols, span.frames[k].file).path;
            printf("%s\n%s:%u\n", symbols_function(symbols, span.frames[k].function).name,
                   path && path[0] ? path : "??", span.frames[k].line);
        }
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct module module = {.id = 1, .kind = MODULE_FILE, .path = argv[1]};
    module.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (module.fd < 0 || elf_file_read(&module))
        return 1;
    struct requests requests = {0};
    struct target *target = NULL;
    struct symbols *symbols = NULL;
    if (read_requests(&requests) || target_open(getpid(), &target) || symbols_new(&symbols))
        return 1;
    module.target = target;
    if (symbols_resolve_names(symbols, &module, requests.items, requests.count) ||
        symbols_resolve_lines(symbols, &module, requests.items, requests.count))
        return 1;
    symbols_lock_shared(symbols);
    print(symbols, &requests);
    symbols_unlock(symbols);
    symbols_free(symbols);
    target_free(target);
    free(requests.items);
    free(module.segments);
    close(module.fd);
    return 0;
}
