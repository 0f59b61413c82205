/*
 * Anonymous memory in the place of a file's text: it is that text when it has the same bytes. The
 * test maps a small ELF file and moves pages of it, as programs do that want huge pages.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/address_space.h"

/* Pages of the file: a header, its text, and one that is no text. */
#define TEXT_PAGES 4
#define PAGES (1 + TEXT_PAGES + 1)
/* Where the text is linked to be: not where it is in the file. */
#define TEXT_VADDR_PAGES 3

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
};

static struct fixture {
    char path[64];
    int fd;
    struct stat status;
    size_t page;
    unsigned char *bytes;  /* of the file */
    unsigned char *memory; /* where its text is mapped, and one page more */
    struct target *target;
    struct module_table *modules;
    struct address_space *space;
} fixture;

static void write_image(void)
{
    const struct image image = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                               __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB,
                               EV_CURRENT},
                   .e_type = ET_DYN,
                   .e_version = EV_CURRENT,
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phoff = offsetof(struct image, segment),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_offset = fixture.page,
                    .p_vaddr = TEXT_VADDR_PAGES * fixture.page,
                    .p_filesz = TEXT_PAGES * fixture.page - 100,
                    .p_memsz = TEXT_PAGES * fixture.page - 100},
    };
    uint64_t seed = 42;
    for (size_t i = 0; i < PAGES * fixture.page; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        fixture.bytes[i] = (unsigned char)(seed >> 56);
    }
    memcpy(fixture.bytes, &image, sizeof image);
    assert_int_equal(pwrite(fixture.fd, fixture.bytes, PAGES * fixture.page, 0),
                     PAGES * fixture.page);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(fixture.path, sizeof fixture.path, "moved-text-XXXXXX");
    fixture.page = (size_t)sysconf(_SC_PAGESIZE);
    fixture.fd = mkstemp(fixture.path);
    fixture.bytes = calloc(PAGES, fixture.page);
    assert_true(fixture.fd >= 0 && fixture.bytes);
    write_image();
    assert_int_equal(fstat(fixture.fd, &fixture.status), 0);
    fixture.memory =
        mmap(NULL, (TEXT_PAGES + 1) * fixture.page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(fixture.memory != MAP_FAILED);
    assert_true(mmap(fixture.memory, TEXT_PAGES * fixture.page, PROT_READ | PROT_EXEC,
                     MAP_PRIVATE | MAP_FIXED, fixture.fd, (off_t)fixture.page) != MAP_FAILED);
    assert_int_equal(target_open(getpid(), &fixture.target), 0);
    assert_int_equal(module_table_new(fixture.target, &fixture.modules), 0);
    assert_int_equal(address_space_new(fixture.modules, &fixture.space), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    address_space_free(fixture.space);
    module_table_free(fixture.modules);
    target_free(fixture.target);
    munmap(fixture.memory, (TEXT_PAGES + 1) * fixture.page);
    free(fixture.bytes);
    close(fixture.fd);
    unlink(fixture.path);
    return 0;
}

static uint64_t address_of(size_t page)
{
    return (uint64_t)(uintptr_t)(fixture.memory + page * fixture.page);
}

/* Anonymous memory in the place of these pages. */
static unsigned char *take_place(size_t first, size_t count)
{
    unsigned char *place = fixture.memory + first * fixture.page;
    assert_true(mmap(place, count * fixture.page, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == place);
    return place;
}

static void copy_text(size_t first, size_t count)
{
    memcpy(fixture.memory + first * fixture.page, fixture.bytes + (1 + first) * fixture.page,
           count * fixture.page);
}

static void move_text(size_t first, size_t count)
{
    (void)take_place(first, count);
    copy_text(first, count);
}

/* The page is of the file, and known by the addresses that it has there. */
static void assert_text(size_t page)
{
    uint64_t vaddr = 0;
    const struct module *module = address_space_find(fixture.space, address_of(page) + 7, &vaddr);
    assert_non_null(module);
    assert_int_equal(module->kind, MODULE_FILE);
    assert_int_equal(module->inode, fixture.status.st_ino);
    assert_int_equal(vaddr, (TEXT_VADDR_PAGES + page) * fixture.page + 7);
}

static void assert_anonymous(size_t page)
{
    uint64_t vaddr = 0;
    const struct module *module = address_space_find(fixture.space, address_of(page) + 7, &vaddr);
    assert_non_null(module);
    assert_int_equal(module->kind, MODULE_ANONYMOUS);
    assert_int_equal(vaddr, address_of(page) + 7);
}

static void read_maps(void)
{
    assert_int_equal(address_space_read(fixture.space, getpid()), 0);
}

static void text_that_was_moved_is_its_files_wherever_it_begins(void **state)
{
    (void)state;
    for (size_t first = 0; first < TEXT_PAGES; first++) {
        assert_int_equal(mmap(fixture.memory, TEXT_PAGES * fixture.page, PROT_READ | PROT_EXEC,
                              MAP_PRIVATE | MAP_FIXED, fixture.fd, (off_t)fixture.page),
                         fixture.memory);
        move_text(first, first + 1 < TEXT_PAGES ? 2 : 1);
        read_maps();
        for (size_t page = 0; page < TEXT_PAGES; page++)
            assert_text(page);
    }
}

static void text_in_pieces_is_given_to_its_file_from_piece_to_piece(void **state)
{
    (void)state;
    move_text(0, 3);
    assert_int_equal(mprotect(fixture.memory + fixture.page, fixture.page, PROT_READ | PROT_EXEC),
                     0);
    read_maps();
    for (size_t page = 0; page < TEXT_PAGES; page++)
        assert_text(page);
}

static void other_code_in_the_place_of_text_is_not_text(void **state)
{
    (void)state;
    memset(take_place(1, 1), 0x90, fixture.page);
    (void)take_place(3, 1); /* nobody has written there */
    read_maps();
    assert_text(0);
    assert_anonymous(1);
    assert_text(2);
    assert_anonymous(3);
}

static void memory_behind_the_text_is_not_text(void **state)
{
    (void)state;
    move_text(TEXT_PAGES, 1);
    read_maps();
    assert_text(TEXT_PAGES - 1);
    assert_anonymous(TEXT_PAGES);
}

static void text_at_another_place_is_not_text(void **state)
{
    (void)state;
    memcpy(take_place(1, 1), fixture.bytes + (1 + 2) * fixture.page, fixture.page);
    read_maps();
    assert_anonymous(1);
}

static void tell(size_t first, size_t count, bool is_file)
{
    struct record_mapping mapping = {
        .start = address_of(first), .length = count * fixture.page, .path = "//anon"};
    char path[4096];
    if (is_file) {
        assert_non_null(realpath(fixture.path, path));
        mapping.path = path;
        mapping.file_offset = (1 + first) * fixture.page;
        mapping.inode = fixture.status.st_ino;
        mapping.device_major = major(fixture.status.st_dev);
        mapping.device_minor = minor(fixture.status.st_dev);
    }
    assert_int_equal(address_space_map(fixture.space, &mapping), 0);
}

static void records_tell_of_text_that_is_moved(void **state)
{
    (void)state;
    tell(0, TEXT_PAGES, true);
    (void)take_place(0, TEXT_PAGES);
    tell(0, TEXT_PAGES, false); /* the whole of it, and it has not been copied yet */
    assert_anonymous(1);
    tell(0, TEXT_PAGES, true);
    move_text(0, TEXT_PAGES);
    tell(0, TEXT_PAGES, false);
    for (size_t page = 0; page < TEXT_PAGES; page++)
        assert_text(page);
}

static void text_is_copied_before_it_is_told_of_again(void **state)
{
    (void)state;
    tell(0, TEXT_PAGES, true);
    (void)take_place(0, 2);
    tell(0, 2, false);
    assert_anonymous(0);
    copy_text(0, 2);
    tell(0, 2, false); /* it is made read-only */
    assert_text(0);
    assert_text(1);
    /* What takes its place afterwards is not text for having been told of there. */
    memset(take_place(0, 2), 0x90, 2 * fixture.page);
    tell(0, 2, false);
    assert_anonymous(0);
    assert_text(2);
}

#define with_text(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_text(text_that_was_moved_is_its_files_wherever_it_begins),
        with_text(text_in_pieces_is_given_to_its_file_from_piece_to_piece),
        with_text(other_code_in_the_place_of_text_is_not_text),
        with_text(memory_behind_the_text_is_not_text),
        with_text(text_at_another_place_is_not_text),
        with_text(records_tell_of_text_that_is_moved),
        with_text(text_is_copied_before_it_is_told_of_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
