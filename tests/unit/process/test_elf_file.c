/* ELF files whose headers claim more than any program has, and those that are just unusual. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "process/elf_file.h"

/* A header, a table of segments, of which the first is code, and a table of sections. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Shdr section;
};

static struct image make_image(void)
{
    return (struct image){
        .header =
            {
                .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                            __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB,
                            EV_CURRENT},
                .e_type = ET_DYN,
                .e_version = EV_CURRENT,
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_entry = 0x1234,
                .e_phoff = offsetof(struct image, segment),
                .e_phentsize = sizeof(Elf64_Phdr),
                .e_phnum = 1,
                .e_shoff = offsetof(struct image, section),
                .e_shentsize = sizeof(Elf64_Shdr),
                .e_shnum = 1,
            },
        .segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 4096, .p_vaddr = 4096},
    };
}

/* What is read of it, when what follows it is a gigabyte of holes. */
static int read_image(const struct image *image, struct module *module)
{
    _cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
    *module = (struct module){.fd = fd};
    assert_int_equal(pwrite(fd, image, sizeof *image, 0), sizeof *image);
    assert_int_equal(ftruncate(fd, 1 << 30), 0);
    int error = elf_file_read(module);
    free(module->segments);
    return error;
}

static void section_0_may_have_the_counts(void **state)
{
    (void)state;
    struct module module;
    struct image image = make_image();
    image.header.e_shnum = 0;
    image.section.sh_size = 4;
    image.header.e_phnum = PN_XNUM;
    image.section.sh_info = 1;
    assert_int_equal(read_image(&image, &module), 0);
    assert_int_equal(module.entry, 0x1234);
    assert_int_equal(module.segment_count, 1);
}

static void more_sections_than_any_program_has_are_not_read(void **state)
{
    (void)state;
    struct module module;
    struct image image = make_image();
    image.header.e_shnum = 0;
    image.section.sh_size = 65537;
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
    image.section.sh_size = (1 << 30) / sizeof(Elf64_Shdr) - 3; /* as many as fit */
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
}

static void more_segments_than_any_program_has_are_not_read(void **state)
{
    (void)state;
    struct module module;
    struct image image = make_image();
    image.header.e_phnum = PN_XNUM;
    image.section.sh_info = 65536;
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
    image.section.sh_info = (1 << 30) / sizeof(Elf64_Phdr) - 3;
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
}

static void other_classes_and_byte_orders_are_not_read(void **state)
{
    (void)state;
    struct module module;
    struct image image = make_image();
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
    image = make_image();
    image.header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
    assert_int_equal(read_image(&image, &module), -ENOEXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section_0_may_have_the_counts),
        cmocka_unit_test(more_sections_than_any_program_has_are_not_read),
        cmocka_unit_test(more_segments_than_any_program_has_are_not_read),
        cmocka_unit_test(other_classes_and_byte_orders_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
