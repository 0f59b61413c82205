/* Functions without symbols, by the index of call frame information; readelf is the oracle. */
#include "module_fixture.h"

#include <elf.h>

#include "symbol/frame_functions.h"

#define LIBC "/lib/x86_64-linux-gnu/libc.so.6"

static int open_file(const char *path, struct elf_reader **ret_file)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(elf_reader_open(fd, ret_file), 0);
    return fd;
}

static void every_entry_of_a_real_library_is_found(void **state)
{
    (void)state;
    if (access(LIBC, R_OK))
        skip();
    struct elf_reader *file;
    struct frame_functions functions;
    int fd = open_file(LIBC, &file);
    assert_int_equal(frame_functions_read(file, &functions), 0);
    _cleanup_free_ char *entries =
        run("LC_ALL=C readelf --debug-dump=frames %s 2>/dev/null | grep -o 'pc=.*'", LIBC);
    assert_non_null(entries);
    size_t count = 0;
    for (char *save, *line = strtok_r(entries, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        uint64_t start, end;
        assert_int_equal(sscanf(line, "pc=%" SCNx64 "..%" SCNx64, &start, &end), 2);
        assert_int_equal(frame_functions_start(&functions, start), start);
        assert_int_equal(frame_functions_start(&functions, start + (end - start) / 2), start);
        assert_int_equal(frame_functions_start(&functions, end - 1), start);
        count++;
    }
    assert_true(count > 1000);
    assert_int_equal(functions.count, count);
    assert_int_equal(frame_functions_start(&functions, 1), 1); /* the ELF header is no function */
    frame_functions_free(&functions);
    elf_reader_free(file);
    close(fd);
}

/* A copy of this program whose index has `value` at `offset`. */
static void read_changed(const char *path, uint64_t at, unsigned char value,
                         struct frame_functions *functions)
{
    struct elf_reader *file;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char kept;
    assert_int_equal(pread(fd, &kept, 1, (off_t)at), 1);
    assert_int_equal(pwrite(fd, &value, 1, (off_t)at), 1);
    assert_int_equal(elf_reader_open(fd, &file), 0);
    assert_int_equal(frame_functions_read(file, functions), 0);
    elf_reader_free(file);
    assert_int_equal(pwrite(fd, &kept, 1, (off_t)at), 1);
    close(fd);
}

#define COPY_TEMPLATE "/tmp/frame-functions-XXXXXX"

/* Of this program, at a path that mkstemp(3) makes of the template. */
static int open_copy(char *template, struct elf_reader **ret_file)
{
    close(mkstemp(template));
    run_or_fail("cp /proc/%d/exe %s", (int)getpid(), template);
    return open_file(template, ret_file);
}

static void broken_indexes_give_none_or_what_is_sound(void **state)
{
    (void)state;
    struct elf_reader *file;
    char path[] = COPY_TEMPLATE;
    int fd = open_copy(path, &file);
    const struct elf_section *index = elf_reader_section(file, ".eh_frame_hdr");
    const struct elf_section *frames = elf_reader_section(file, ".eh_frame");
    assert_true(index && frames);
    struct frame_functions whole, functions;
    assert_int_equal(frame_functions_read(file, &whole), 0);
    assert_true(whole.count > 10);
    for (uint64_t i = 0; i < 64; i++) {
        read_changed(path, index->offset + i, 0xff, &functions);
        assert_true(i >= 4 || functions.count == 0); /* version and encodings */
        assert_true(functions.count <= whole.count);
        frame_functions_free(&functions);
        read_changed(path, frames->offset + i, 0xff, &functions);
        assert_int_equal(functions.count, whole.count);
        frame_functions_free(&functions);
    }
    read_changed(path, index->offset + 11, 0x7f, &functions); /* two billion entries */
    assert_int_equal(functions.count, 0);
    frame_functions_free(&functions);
    frame_functions_free(&whole);
    elf_reader_free(file);
    close(fd);
    unlink(path);
}

/* As sstrip leaves it: the kernel and the program itself need no section. */
static void remove_section_headers(const char *path)
{
    Elf64_Ehdr header;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
    header.e_shoff = 0;
    header.e_shnum = header.e_shstrndx = 0;
    assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
    close(fd);
}

static void a_file_without_section_headers_has_the_same(void **state)
{
    (void)state;
    struct elf_reader *file;
    char path[] = COPY_TEMPLATE;
    int fd = open_copy(path, &file);
    struct frame_functions whole, functions;
    uint64_t index = elf_reader_section(file, ".eh_frame_hdr")->offset;
    assert_int_equal(frame_functions_read(file, &whole), 0);
    assert_true(whole.count > 10);
    elf_reader_free(file);
    close(fd);

    remove_section_headers(path);
    fd = open_file(path, &file);
    assert_int_equal(frame_functions_read(file, &functions), 0);
    assert_int_equal(functions.count, whole.count);
    for (size_t i = 0; i < whole.count; i++) {
        assert_int_equal(functions.starts[i], whole.starts[i]);
        assert_int_equal(frame_functions_start(&functions, whole.starts[i] + 1),
                         frame_functions_start(&whole, whole.starts[i] + 1));
    }
    elf_reader_free(file);
    close(fd);
    frame_functions_free(&functions);
    /* Where .eh_frame is: far away, before the file, and where no code is. */
    for (uint64_t i = 0; i < 8; i++) {
        static const unsigned char values[] = {0, 0x7f, 0x80, 0xff};
        read_changed(path, index + i, values[i % 4], &functions);
        assert_true(functions.count == 0 || functions.count == whole.count);
        frame_functions_free(&functions);
    }
    read_changed(path, index + 7, 0x7f, &functions);
    assert_int_equal(functions.count, 0);
    frame_functions_free(&functions);
    frame_functions_free(&whole);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_of_a_real_library_is_found),
        cmocka_unit_test(broken_indexes_give_none_or_what_is_sound),
        cmocka_unit_test(a_file_without_section_headers_has_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
