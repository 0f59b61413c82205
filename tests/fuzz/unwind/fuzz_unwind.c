/* Arbitrary registers and stacks over real code: this program's own call frame information. */
#include "fuzz.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "unwind/unwinder.h"

#define BASE UINT64_C(0x400000000000)
#define STACK_START UINT64_C(0x7fff00000000)

struct world {
    struct module module;
    uint64_t start, end; /* of the code, as vaddr */
};

static void open_world(struct world *world)
{
    static char path[] = "/proc/self/exe";
    Elf64_Ehdr header;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    fuzz_check(fd >= 0 && pread(fd, &header, sizeof header, 0) == sizeof header);
    world->module = (struct module){
        .id = 1, .kind = MODULE_FILE, .path = path, .fd = fd, .entry = header.e_entry};
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        off_t offset = (off_t)(header.e_phoff + i * sizeof segment);
        fuzz_check(pread(fd, &segment, sizeof segment, offset) == sizeof segment);
        if (segment.p_type == PT_LOAD && segment.p_flags & PF_X) {
            world->start = segment.p_vaddr;
            world->end = segment.p_vaddr + segment.p_filesz;
        }
    }
}

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    struct world *world = user;
    uint64_t vaddr = ip - BASE;
    if (vaddr < world->start || vaddr >= world->end)
        return NULL;
    *ret_vaddr = vaddr;
    return &world->module;
}

/* Small numbers are made addresses of code or of the stack. */
static uint64_t enliven(const struct world *world, uint64_t word)
{
    uint64_t low = word & 0xffffff;
    switch (word >> 62) {
    case 0:
        return BASE + world->start + low % (world->end - world->start);
    case 1:
        return STACK_START + (low & 0xfff);
    default:
        return word;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct module kernel = {.id = 2, .kind = MODULE_KERNEL, .fd = -1};
    static struct raw_stack raw, again;
    static struct unwinder *unwinder;
    static struct world world;
    if (!unwinder) {
        open_world(&world);
        fuzz_check(unwinder_new(&architecture_own, &unwinder) == 0);
    }
    if (length < 18 * 8)
        return 0;

    struct sample sample = {.has_user = true, .registers.valid = 0x1ffff};
    for (unsigned i = 0; i < 17; i++) {
        memcpy(&sample.registers.values[i], bytes + i * 8, 8);
        sample.registers.values[i] = enliven(&world, sample.registers.values[i]);
    }
    if (bytes[17 * 8] & 1)
        sample.registers.values[architecture_own.sp] = STACK_START;
    sample.stack_cut = bytes[17 * 8] & 2;
    bool begins = bytes[17 * 8] & 4;
    bytes += 18 * 8;
    length -= 18 * 8;

    unsigned char *stack = malloc(length + 1);
    fuzz_check(stack);
    memcpy(stack, bytes, length);
    for (size_t i = 0; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, stack + i, 8);
        word = enliven(&world, word);
        memcpy(stack + i, &word, 8);
    }
    sample.stack = stack;
    sample.stack_bytes = length;
    struct unwind_space space = {.find = find, .user = &world, .kernel = &kernel};
    if (begins)
        space.initial_sp = STACK_START + 512;
    unwinder_run(unwinder, &sample, &space, &raw);
    fuzz_check(raw.count > 0 && raw.count <= STACK_FRAMES_MAX + 1);
    fuzz_check((raw.end == STACK_END_ROOT) == (raw.frames[raw.count - 1].module != 0));
    /* What an earlier input left behind changes nothing. */
    space.generation = 1 + begins;
    unwinder_run(unwinder, &sample, &space, &again);
    fuzz_check(again.end == raw.end && again.count == raw.count);
    for (size_t i = 0; i < raw.count; i++)
        fuzz_check(again.frames[i].vaddr == raw.frames[i].vaddr);
    free(stack);
    return 0;
}
