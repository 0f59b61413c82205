/* Files that are made to keep whoever looks for Go's table of functions busy: each is soon let go.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/go_module.h"

/* Of CPU time: what takes seconds at most, and minutes to days without a limit. */
#define SECONDS_MAX 60

/* The sections, and where their bytes are. */
#define DATA_OFFSET 8192
enum { NONE, NAMES, BUILD_ID, DATA, SECTIONS };

static const char names[] = "\0.shstrtab\0.note.go.buildid\0.data.rel.ro\0.gopclntab";
#define NAME_OF_NAMES 1
#define NAME_OF_BUILD_ID 11
#define NAME_OF_DATA 28
#define NAME_OF_TABLE 41

static void put(int fd, const void *bytes, size_t length, off_t at)
{
    assert_int_equal(pwrite(fd, bytes, length, at), (ssize_t)length);
}

/* A file with one section for Go, of so many bytes; they are zero, and take no room. */
static int make_file(uint32_t name, uint64_t bytes)
{
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_shoff = sizeof header,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = SECTIONS,
        .e_shstrndx = NAMES,
    };
    const Elf64_Shdr sections[SECTIONS] = {
        [NAMES] = {.sh_name = NAME_OF_NAMES,
                   .sh_type = SHT_STRTAB,
                   .sh_offset = 4096,
                   .sh_size = sizeof names},
        [BUILD_ID] = {.sh_name = NAME_OF_BUILD_ID,
                      .sh_type = SHT_NOTE,
                      .sh_offset = 4096,
                      .sh_size = sizeof names},
        [DATA] = {.sh_name = name,
                  .sh_type = SHT_PROGBITS,
                  .sh_flags = SHF_ALLOC | SHF_WRITE,
                  .sh_addr = 0x400000,
                  .sh_offset = DATA_OFFSET,
                  .sh_size = bytes},
    };
    int fd = memfd_create("hostile", MFD_CLOEXEC);
    assert_true(fd >= 0);
    put(fd, &header, sizeof header, 0);
    put(fd, sections, sizeof sections, sizeof header);
    put(fd, names, sizeof names, 4096);
    assert_int_equal(ftruncate(fd, (off_t)(DATA_OFFSET + bytes)), 0);
    return fd;
}

/* The beginning of a table, as Go 1.20 writes it. */
struct beginning {
    uint32_t magic;
    uint8_t zero[2], quantum, address_bytes;
    uint64_t functions, files, text;
    uint64_t names_at, units_at, files_at, values_at, functions_at;
};

static struct beginning begin(uint64_t functions)
{
    return (struct beginning){
        .magic = 0xfffffff1, .quantum = 1, .address_bytes = 8, .functions = functions};
}

static int set_up(void **state)
{
    (void)state;
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = SECONDS_MAX}, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
    return 0;
}

static void assert_no_table(int fd)
{
    struct go_module module;
    assert_true(go_module_open(fd, &module) < 0);
    close(fd);
}

static void a_sparse_section_is_not_searched_to_its_end(void **state)
{
    (void)state;
    assert_no_table(make_file(NAME_OF_DATA, UINT64_C(1) << 42));
}

/* Each would be read to the section's end before it turns out to be none. */
static void not_everything_that_begins_like_a_table_is_read(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20, PIECE = 64 << 10 };
    static const uint8_t start[8] = {0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8};
    _cleanup_free_ unsigned char *piece = malloc(PIECE);
    assert_non_null(piece);
    for (size_t i = 0; i < PIECE; i += sizeof start)
        memcpy(piece + i, start, sizeof start);
    int fd = make_file(NAME_OF_DATA, BYTES);
    for (off_t at = 0; at < BYTES; at += PIECE)
        put(fd, piece, PIECE, DATA_OFFSET + at);
    assert_no_table(fd);
}

/* Where the code begins is looked for in all data. */
static void data_without_end_are_not_read_to_it(void **state)
{
    (void)state;
    const uint64_t bytes = UINT64_C(1) << 42;
    struct beginning table = begin(4);
    int fd = make_file(NAME_OF_TABLE, 4096);
    const Elf64_Shdr data = {
        .sh_name = NAME_OF_DATA,
        .sh_type = SHT_PROGBITS,
        .sh_flags = SHF_ALLOC | SHF_WRITE,
        .sh_addr = 0x500000,
        .sh_offset = 16384,
        .sh_size = bytes,
    };
    put(fd, &data, sizeof data, sizeof(Elf64_Ehdr) + BUILD_ID * sizeof data);
    put(fd, &table, sizeof table, DATA_OFFSET);
    assert_int_equal(ftruncate(fd, (off_t)(16384 + bytes)), 0);
    assert_no_table(fd);
}

/* A million functions, each of whose names is sought to the end of the table. */
static void names_without_end_are_none(void **state)
{
    (void)state;
    enum { FUNCTIONS = 1 << 20, FUNCTIONS_AT = 4096, NAMES_AT = 32 << 20, BYTES = 48 << 20 };
    struct beginning table = begin(FUNCTIONS);
    table.text = 0x400000;
    table.functions_at = FUNCTIONS_AT;
    table.names_at = NAMES_AT;
    table.units_at = table.files_at = table.values_at = NAMES_AT;
    int fd = make_file(NAME_OF_TABLE, BYTES);
    put(fd, &table, sizeof table, DATA_OFFSET);
    static unsigned char letters[1 << 20];
    memset(letters, 'x', sizeof letters);
    for (off_t at = NAMES_AT; at < BYTES; at += (off_t)sizeof letters)
        put(fd, letters, sizeof letters, DATA_OFFSET + at);
    struct go_module module;
    assert_int_equal(go_module_open(fd, &module), 0);
    go_module_find_trees(&module);
    assert_int_equal(module.tree_bytes, 0);
    struct go_function function;
    assert_true(go_pclntab_get(&module.table, 0, &function) < 0);
    go_module_close(&module);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sparse_section_is_not_searched_to_its_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(not_everything_that_begins_like_a_table_is_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(data_without_end_are_not_read_to_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_without_end_are_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
