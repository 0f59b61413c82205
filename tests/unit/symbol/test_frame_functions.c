/* Functions without symbols, by the index of call frame information; readelf is the oracle. */
#include "module_fixture.h"

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

static void broken_indexes_give_none_or_what_is_sound(void **state)
{
    (void)state;
    struct elf_reader *file;
    char path[] = "/tmp/frame-functions-XXXXXX";
    close(mkstemp(path));
    run_or_fail("cp /proc/%d/exe %s", (int)getpid(), path);
    int fd = open_file(path, &file);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_of_a_real_library_is_found),
        cmocka_unit_test(broken_indexes_give_none_or_what_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
