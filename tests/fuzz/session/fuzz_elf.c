/*
 * Arbitrary ELF files, whole: headers, segments, symbols, PLT, build-ids, unwind information and
 * debug information. Half of the mutations stay inside one section, so that the file stays a file.
 */
#include "image.h"

#include <elf.h>

#include "lprofd/symbols.h"
#include "process/elf_file.h"
#include "unwind/cfi.h"

#define ADDRESSES 48
#define FILE_BYTES_MAX 65536

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t max, unsigned seed);

/* The nth section with bytes in the file; false when the headers do not say. */
static bool find_section(const uint8_t *bytes, size_t length, unsigned nth, size_t *ret_offset,
                         size_t *ret_bytes)
{
    Elf64_Ehdr header;
    if (length < sizeof header)
        return false;
    memcpy(&header, bytes, sizeof header);
    if (header.e_shnum == 0 || header.e_shoff > length ||
        header.e_shnum > (length - header.e_shoff) / sizeof(Elf64_Shdr))
        return false;
    Elf64_Shdr section;
    memcpy(&section, bytes + header.e_shoff + nth % header.e_shnum * sizeof section,
           sizeof section);
    if (section.sh_type == SHT_NOBITS || section.sh_size == 0 || section.sh_offset > length ||
        section.sh_size > length - section.sh_offset)
        return false;
    *ret_offset = section.sh_offset;
    *ret_bytes = section.sh_size;
    return true;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t max, unsigned seed)
{
    size_t offset, part;
    if (seed % 8 == 0 || !find_section(bytes, length, seed / 8, &offset, &part))
        return LLVMFuzzerMutate(bytes, length, max);
    uint8_t *copy = malloc(part);
    fuzz_check(copy);
    memcpy(copy, bytes + offset, part);
    LLVMFuzzerMutate(copy, part, part);
    memcpy(bytes + offset, copy, part);
    free(copy);
    return length;
}

/* Addresses all over the executable segments; some near to nothing when there are none. */
static void choose_addresses(const struct module *module, struct symbol_request *requests)
{
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        uint64_t vaddr = i * 16;
        if (module->segment_count) {
            const struct module_segment *segment = &module->segments[i % module->segment_count];
            uint64_t step = segment->bytes / ADDRESSES + 1;
            vaddr = segment->vaddr + i * (step < 16 ? step : 16);
        }
        requests[i] = (struct symbol_request){.location = i, .vaddr = vaddr};
    }
}

static void resolve(const struct module *module, const struct symbol_request *requests)
{
    struct symbols *symbols;
    fuzz_check(symbols_new(&symbols) == 0);
    fuzz_check(symbols_resolve_names(symbols, module, requests, ADDRESSES) == 0);
    fuzz_check(symbols_resolve_lines(symbols, module, requests, ADDRESSES) == 0);
    symbols_lock_shared(symbols);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        struct frame_span span = symbols_frames(symbols, i);
        fuzz_check(span.count > 0);
        fuzz_check(span.status != SYMBOL_PENDING && span.status != SYMBOL_NAME_ONLY);
        for (uint32_t k = 0; k < span.count; k++) {
            struct symbol_function function = symbols_function(symbols, span.frames[k].function);
            struct symbol_file file = symbols_file(symbols, span.frames[k].file);
            fuzz_touch(function.name, strlen(function.name));
            fuzz_touch(file.path, strlen(file.path));
        }
    }
    symbols_unlock(symbols);
    symbols_free(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length > FILE_BYTES_MAX)
        return 0;
    /* Debug files cannot be opened below a root that is not a directory. */
    struct target target = {.pid = INT32_MAX, .uid = geteuid(), .gid = getegid()};
    target.root_fd = image_fd(bytes, length);
    struct module module = image_module(bytes, length);
    module.target = &target;
    elf_file_read(&module);
    struct symbol_request requests[ADDRESSES];
    choose_addresses(&module, requests);

    struct cfi_cache *cache;
    fuzz_check(cfi_cache_new(&architecture_own, CFI_BYTES_MAX, &cache) == 0);
    for (size_t i = 0; i < ADDRESSES; i++)
        cfi_cache_find(cache, &module, requests[i].vaddr);
    cfi_cache_free(cache);
    resolve(&module, requests);
    free(module.segments);
    return 0;
}
