/* Arbitrary bytes as Go's table of functions, asked about addresses of its own functions. */
#include "fuzz.h"

#include <stdbool.h>

#include "base/go_pclntab.h"

#define FUNCTIONS_ASKED 64

static void ask(const struct go_pclntab *table, struct go_function *function, uint64_t vaddr)
{
    const char *file;
    uint32_t line;
    uint64_t tree;
    struct go_inlined inlined;
    unsigned char entry[GO_INLINED_BYTES_MAX] = {0};
    if (go_function_place(table, function, vaddr, &file, &line)) {
        fuzz_touch(file, strlen(file));
        fuzz_check(line > 0);
    }
    int32_t bytes = go_function_frame_bytes(table, function, vaddr);
    fuzz_check(bytes >= -1 && (bytes == -1 || bytes % 8 == 0));
    fuzz_check(go_function_inlined(table, function, vaddr) < 0 || table->version != GO_1_2);
    if (go_function_tree(table, function, &tree))
        memcpy(entry + 4, &tree, sizeof tree);
    if (go_inlined_read(table, function, entry, &inlined))
        fuzz_check(inlined.call_vaddr >= function->start && inlined.call_vaddr < function->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct go_pclntab table;
    unsigned char *copy = malloc(length ? length : 1);
    fuzz_check(copy);
    memcpy(copy, bytes, length);
    if (go_pclntab_open(copy, length, &table) == 0) {
        for (uint32_t i = 0; i < table.function_count && i < FUNCTIONS_ASKED; i++) {
            struct go_function function, found;
            if (go_pclntab_get(&table, i, &function))
                continue;
            fuzz_touch(function.name, strlen(function.name));
            ask(&table, &function, function.start);
            ask(&table, &function, function.end - 1);
            if (go_pclntab_find(&table, function.start, &found) == 0)
                fuzz_check(found.start <= function.start && function.start < found.end);
        }
    }
    free(copy);
    return 0;
}
