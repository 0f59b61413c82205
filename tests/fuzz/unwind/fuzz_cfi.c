/* Arbitrary .eh_frame in a sound ELF file: rules, and whole walks by them over arbitrary stacks,
 * of either architecture. */
#include "image.h"

#include <elf.h>

#include "unwind/cfi.h"
#include "unwind/unwinder.h"

#define CODE_VADDR 0x1000
#define CODE_BYTES 0x1000
#define FRAME_VADDR 0x4000
#define FRAME_BYTES_MAX 16384
#define LOOKUPS 64
#define STACK_BYTES 1024

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    Elf64_Shdr sections[3];
    char names[32];
    unsigned char frame[FRAME_BYTES_MAX];
};

static void build(struct image *image, const struct architecture *architecture,
                  const uint8_t *frame, size_t length)
{
    *image = (struct image){
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1},
                   .e_type = ET_DYN,
                   .e_machine = architecture->elf_machine,
                   .e_version = EV_CURRENT,
                   .e_phoff = offsetof(struct image, segments),
                   .e_shoff = offsetof(struct image, sections),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 2,
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = 3,
                   .e_shstrndx = 2},
        .names = "\0.eh_frame\0.shstrtab",
    };
    image->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_flags = PF_R | PF_X,
                                      .p_vaddr = CODE_VADDR,
                                      .p_filesz = CODE_BYTES,
                                      .p_memsz = CODE_BYTES};
    image->segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                      .p_flags = PF_R,
                                      .p_offset = offsetof(struct image, frame),
                                      .p_vaddr = FRAME_VADDR,
                                      .p_filesz = length,
                                      .p_memsz = length};
    image->sections[1] = (Elf64_Shdr){.sh_name = 1,
                                      .sh_type = SHT_PROGBITS,
                                      .sh_flags = SHF_ALLOC,
                                      .sh_addr = FRAME_VADDR,
                                      .sh_offset = offsetof(struct image, frame),
                                      .sh_size = length,
                                      .sh_addralign = 8};
    image->sections[2] = (Elf64_Shdr){.sh_name = 11,
                                      .sh_type = SHT_STRTAB,
                                      .sh_offset = offsetof(struct image, names),
                                      .sh_size = sizeof image->names,
                                      .sh_addralign = 1};
    memcpy(image->frame, frame, length);
}

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    if (ip < CODE_VADDR || ip >= CODE_VADDR + CODE_BYTES)
        return NULL;
    *ret_vaddr = ip;
    return user;
}

/* The stack's words are addresses of code and of the stack itself, so that walks go far. */
static void walk(struct module *module, const struct architecture *architecture,
                 const uint8_t *bytes, size_t length)
{
    static const struct module kernel = {.id = 2, .kind = MODULE_KERNEL, .fd = -1};
    static struct raw_stack raw;
    const uint64_t sp = 0x7fff0000;
    uint64_t words[STACK_BYTES / 8];
    for (size_t i = 0; i < STACK_BYTES / 8; i++) {
        uint8_t byte = length ? bytes[i % length] : (uint8_t)i;
        words[i] = byte & 1 ? CODE_VADDR + byte * 16u : sp + byte * 4u;
    }
    struct sample sample = {.has_user = true,
                            .registers.valid = (UINT64_C(1) << REGISTER_COUNT) - 1,
                            .stack = (unsigned char *)words,
                            .stack_bytes = sizeof words,
                            .stack_cut = length & 1};
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        sample.registers.values[i] = sp + i * 8;
    sample.registers.values[architecture->sp] = sp;
    if (architecture->lr != REGISTER_NONE)
        sample.registers.values[architecture->lr] = CODE_VADDR + (length ? bytes[0] * 16u : 0);
    sample.registers.values[architecture->ip] = CODE_VADDR + (length ? bytes[length / 2] * 16u : 0);

    struct unwind_space space = {.find = find, .user = module, .kernel = &kernel};
    struct unwinder *unwinder;
    fuzz_check(unwinder_new(architecture, &unwinder) == 0);
    unwinder_run(unwinder, &sample, &space, &raw);
    fuzz_check(raw.count > 0 && raw.count <= STACK_FRAMES_MAX + 1);
    fuzz_check((raw.end == STACK_END_ROOT) == (raw.frames[raw.count - 1].module != 0));
    unwinder_free(unwinder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct image image;
    if (length > FRAME_BYTES_MAX)
        return 0;
    const struct architecture *architecture =
        length & 2 ? &architecture_aarch64 : &architecture_x86_64;
    build(&image, architecture, bytes, length);
    struct module module = image_module(&image, offsetof(struct image, frame) + length);
    struct cfi_cache *cache;
    fuzz_check(cfi_cache_new(architecture, CFI_BYTES_MAX, &cache) == 0);
    for (uint64_t i = 0; i < LOOKUPS; i++)
        cfi_cache_find(cache, &module, CODE_VADDR + i * (CODE_BYTES / LOOKUPS));
    cfi_cache_free(cache);
    walk(&module, architecture, bytes, length);
    return 0;
}
