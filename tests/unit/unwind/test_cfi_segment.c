/* A file without section headers has the same call frame information as with them. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "unwind/cfi.h"
#include "unwind/cfi_segment.h"

struct file {
    unsigned char *bytes;
    size_t length;
};

static struct file read_self(void)
{
    _cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    struct file file = {.length = (size_t)status.st_size};
    file.bytes = malloc(file.length);
    assert_non_null(file.bytes);
    assert_int_equal(read_at(fd, file.bytes, file.length, 0), 0);
    return file;
}

static Elf64_Ehdr *header_of(struct file *file)
{
    return (Elf64_Ehdr *)file->bytes;
}

static Elf64_Phdr *segment_of(struct file *file, uint32_t type)
{
    Elf64_Phdr *segments = (Elf64_Phdr *)(file->bytes + header_of(file)->e_phoff);
    for (unsigned i = 0; i < header_of(file)->e_phnum; i++)
        if (segments[i].p_type == type)
            return &segments[i];
    fail();
    return NULL;
}

/* As sstrip does it, but for the headers' own bytes. */
static void strip_sections(struct file *file)
{
    Elf64_Ehdr *header = header_of(file);
    header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
}

static struct module module_of(uint32_t id, const struct file *file)
{
    static char path[] = "/self";
    int fd = memfd_create("self", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(write(fd, file->bytes, file->length) == (ssize_t)file->length);
    return (struct module){.id = id, .kind = MODULE_FILE, .path = path, .fd = fd};
}

static void assert_same_rule(const struct cfi_rule *left, const struct cfi_rule *right)
{
    assert_int_equal(left->kind, right->kind);
    assert_int_equal(left->cfa_register, right->cfa_register);
    assert_int_equal(left->cfa_offset, right->cfa_offset);
    assert_int_equal(left->fp_saved, right->fp_saved);
    assert_int_equal(left->fp_offset, right->fp_offset);
    assert_int_equal(left->return_offset, right->return_offset);
    assert_int_equal(left->is_signal_frame, right->is_signal_frame);
}

static void rules_are_the_same_without_section_headers(void **state)
{
    (void)state;
    struct file file = read_self();
    uint64_t start = UINT64_MAX, end = 0;
    Elf64_Phdr *segments = (Elf64_Phdr *)(file.bytes + header_of(&file)->e_phoff);
    for (unsigned i = 0; i < header_of(&file)->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD || !(segments[i].p_flags & PF_X))
            continue;
        start = segments[i].p_vaddr;
        end = start + segments[i].p_filesz;
    }
    struct module whole = module_of(1, &file);
    strip_sections(&file);
    struct module stripped = module_of(2, &file);
    struct cfi_cache *cache;
    size_t rules = 0;
    assert_int_equal(cfi_cache_new(&architecture_own, CFI_BYTES_MAX, &cache), 0);
    for (uint64_t vaddr = start; vaddr < end; vaddr++) {
        struct cfi_rule expected = cfi_cache_find(cache, &whole, vaddr);
        struct cfi_rule rule = cfi_cache_find(cache, &stripped, vaddr);
        assert_same_rule(&rule, &expected);
        rules += rule.kind == CFI_RULE;
    }
    assert_true(rules > 1000);
    cfi_cache_free(cache);
    close(whole.fd);
    close(stripped.fd);
    free(file.bytes);
}

/* Whoever maps many large files would have us hold them all. */
static void modules_beyond_the_limit_have_no_rules(void **state)
{
    (void)state;
    struct file file = read_self();
    uint64_t entry = header_of(&file)->e_entry;
    struct module first = module_of(1, &file), second = module_of(2, &file);
    struct cfi_cache *cache;
    assert_int_equal(cfi_cache_new(&architecture_own, 1, &cache), 0);
    assert_int_not_equal(cfi_cache_find(cache, &first, entry).kind, CFI_NONE);
    assert_int_equal(cfi_cache_find(cache, &second, entry).kind, CFI_NONE);
    assert_int_not_equal(cfi_cache_find(cache, &first, entry + 1).kind, CFI_NONE);
    cfi_cache_free(cache);
    close(first.fd);
    close(second.fd);
    free(file.bytes);
}

/* The first rule of a file whose PT_GNU_EH_FRAME or its index was changed. */
static enum cfi_kind kind_at_entry(const struct file *file, uint64_t entry)
{
    struct module module = module_of(1, file);
    struct cfi_cache *cache;
    assert_int_equal(cfi_cache_new(&architecture_own, CFI_BYTES_MAX, &cache), 0);
    enum cfi_kind kind = (enum cfi_kind)cfi_cache_find(cache, &module, entry).kind;
    cfi_cache_free(cache);
    close(module.fd);
    return kind;
}

static void lying_segments_give_no_rules(void **state)
{
    (void)state;
    struct file file = read_self();
    uint64_t entry = header_of(&file)->e_entry;
    strip_sections(&file);
    assert_int_not_equal(kind_at_entry(&file, entry), CFI_NONE);
    Elf64_Phdr *segment = segment_of(&file, PT_GNU_EH_FRAME), sound = *segment;
    unsigned char *index = file.bytes + sound.p_offset;
    static const uint64_t lies[] = {1, 0x7fffffffffffffff, UINT64_MAX, UINT64_MAX - 8};
    for (size_t i = 0; i < array_length(lies); i++) {
        segment->p_offset = lies[i];
        assert_int_equal(kind_at_entry(&file, entry), CFI_NONE);
        *segment = sound;
        segment->p_filesz = i; /* too short */
        assert_int_equal(kind_at_entry(&file, entry), CFI_NONE);
        *segment = sound;
    }
    static const unsigned char encodings[] = {0xff, 0x50, 0x01, 0x90, 0x03};
    unsigned char encoding = index[1];
    for (size_t i = 0; i < array_length(encodings); i++) {
        index[1] = encodings[i];
        assert_int_equal(kind_at_entry(&file, entry), CFI_NONE);
    }
    index[1] = encoding;
    index[0] = 2;
    assert_int_equal(kind_at_entry(&file, entry), CFI_NONE);
    index[0] = 1;
    assert_int_not_equal(kind_at_entry(&file, entry), CFI_NONE);
    free(file.bytes);
}

static void length_ends_at_the_terminator(void **state)
{
    (void)state;
    const unsigned char bytes[] = {4, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 9, 9, 9, 9};
    assert_int_equal(cfi_segment_length(bytes, sizeof bytes), 8);
    assert_int_equal(cfi_segment_length(bytes, 8), 8);
    assert_int_equal(cfi_segment_length(bytes, 7), 0);
    assert_int_equal(cfi_segment_length(bytes, 0), 0);
    const unsigned char escape[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4};
    assert_int_equal(cfi_segment_length(escape, sizeof escape), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_the_same_without_section_headers),
        cmocka_unit_test(modules_beyond_the_limit_have_no_rules),
        cmocka_unit_test(lying_segments_give_no_rules),
        cmocka_unit_test(length_ends_at_the_terminator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
