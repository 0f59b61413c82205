/* Executable segments, starts and build-id of an ELF file (System V gABI; build-id: GNU ld
 * --build-id). */
#include "process/elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/elf_limits.h"

/* Far more than any linker writes. */
#define DYNAMIC_ENTRIES_MAX 4096

static void read_dynamic(Elf *elf, const GElf_Phdr *header, struct module *module)
{
    size_t bytes = header->p_filesz, limit = DYNAMIC_ENTRIES_MAX * sizeof(Elf64_Dyn);
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset,
                                          bytes < limit ? bytes : limit, ELF_T_DYN);
    GElf_Dyn entry = {.d_tag = DT_NULL};
    for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
        if (entry.d_tag == DT_INIT)
            module->init = entry.d_un.d_ptr;
        else if (entry.d_tag == DT_FINI)
            module->fini = entry.d_un.d_ptr;
    }
}

static int read_segments(Elf *elf, struct module *module)
{
    size_t count = 0, capacity = 0;
    if (elf_getphdrnum(elf, &count) < 0)
        return -ENOEXEC;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header))
            continue;
        if (header.p_type == PT_DYNAMIC)
            read_dynamic(elf, &header, module);
        if (header.p_type != PT_LOAD || !(header.p_flags & PF_X))
            continue;
        if (array_reserve(&module->segments, &capacity, module->segment_count + 1,
                          sizeof *module->segments))
            return -ENOMEM;
        module->segments[module->segment_count++] = (struct module_segment){
            .offset = header.p_offset, .bytes = header.p_filesz, .vaddr = header.p_vaddr};
    }
    return 0;
}

static void read_build_id(Elf *elf, struct module *module)
{
    const void *bytes = NULL;
    ssize_t length = dwelf_elf_gnu_build_id(elf, &bytes);
    if (length > 0 && length <= BUILD_ID_MAX) {
        memcpy(module->build_id, bytes, (size_t)length);
        module->build_id_bytes = (size_t)length;
    }
}

int elf_file_read(struct module *module)
{
    Elf *elf = elf_open(module->fd);
    if (!elf)
        return -ENOEXEC;
    GElf_Ehdr header;
    module->entry = gelf_getehdr(elf, &header) ? header.e_entry : 0;
    int error = read_segments(elf, module);
    read_build_id(elf, module);
    elf_end(elf);
    return error;
}
