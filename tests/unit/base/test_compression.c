/* What zlib packed is inflated, from memory and from files; what is not whole is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/compression.h"

#define LINES 40
#define TEXT_BYTES_MAX 4096
#define HEADER_BYTES 7

/* Of python3: zlib.compress(b"".join(b"line %d of a text that repeats itself\n" % i for i in
 * range(40)), 9) */
static const unsigned char packed[] = {
    0x78, 0xda, 0x8d, 0xd4, 0xbb, 0x0d, 0x02, 0x41, 0x10, 0x04, 0x51, 0x9f, 0x28, 0x26, 0x04,
    0xa6, 0x9b, 0x6f, 0x38, 0x6b, 0xcc, 0xe9, 0x4e, 0x5a, 0x01, 0xe2, 0xc6, 0x20, 0x7c, 0x44,
    0x04, 0x94, 0x5f, 0xd6, 0x53, 0xab, 0xe7, 0xf6, 0xa8, 0x38, 0xc6, 0x73, 0x89, 0x11, 0x5d,
    0x9f, 0x8e, 0x5e, 0x47, 0xc7, 0xbb, 0x5e, 0x35, 0x7a, 0x8f, 0xad, 0xf7, 0x9a, 0xcb, 0x61,
    0xfe, 0xa2, 0x24, 0x91, 0x48, 0x64, 0x12, 0x9d, 0x48, 0x74, 0x26, 0xd1, 0x85, 0x44, 0x57,
    0x12, 0xdd, 0x48, 0x74, 0x47, 0x98, 0x8c, 0x1c, 0x99, 0x27, 0x42, 0x4f, 0xa4, 0x9e, 0x88,
    0x3d, 0x91, 0x7b, 0x22, 0xf8, 0x44, 0xf2, 0x89, 0xe8, 0x13, 0xd9, 0x0b, 0xd9, 0x8b, 0xed,
    0x1d, 0xd9, 0x0b, 0xd9, 0x0b, 0xd9, 0x0b, 0xd9, 0x0b, 0xd9, 0x0b, 0xd9, 0x0b, 0xd9, 0x0b,
    0xd9, 0x1b, 0xd9, 0x1b, 0xd9, 0x9b, 0x9d, 0x0d, 0xb2, 0x37, 0xb2, 0x37, 0xb2, 0x37, 0xb2,
    0x37, 0xb2, 0x37, 0xb2, 0xf7, 0x3f, 0xfb, 0x2f, 0xb5, 0x68, 0x0b, 0x17};

/* What was packed; its length. */
static size_t make_text(char text[static TEXT_BYTES_MAX])
{
    size_t length = 0;
    for (int i = 0; i < LINES; i++)
        length += (size_t)snprintf(text + length, TEXT_BYTES_MAX - length,
                                   "line %d of a text that repeats itself\n", i);
    return length;
}

static int inflate(const unsigned char *bytes, size_t count, size_t length, char *text)
{
    return compression_inflate(COMPRESSION_ZLIB, bytes, count, text, length);
}

static void what_zlib_packed_is_inflated(void **state)
{
    char expected[TEXT_BYTES_MAX], text[TEXT_BYTES_MAX];
    size_t length = make_text(expected);
    (void)state;
    assert_int_equal(inflate(packed, sizeof packed, length, text), 0);
    assert_memory_equal(text, expected, length);
}

static void another_length_is_refused(void **state)
{
    char text[TEXT_BYTES_MAX];
    size_t length = make_text(text);
    (void)state;
    assert_int_equal(inflate(packed, sizeof packed, length - 1, text), -EBADMSG);
    assert_int_equal(inflate(packed, sizeof packed, length + 1, text), -EBADMSG);
}

static void stream_that_ends_early_is_refused(void **state)
{
    char text[TEXT_BYTES_MAX];
    size_t length = make_text(text);
    (void)state;
    for (size_t count = 0; count < sizeof packed; count++)
        assert_int_equal(inflate(packed, count, length, text), -EBADMSG);
}

/* But for those that mean nothing: in the header, and behind the last code. */
static void damaged_bit_is_noticed(void **state)
{
    char expected[TEXT_BYTES_MAX], text[TEXT_BYTES_MAX];
    unsigned char damaged[sizeof packed];
    size_t length = make_text(expected), noticed = 0;
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof packed; bit++) {
        memcpy(damaged, packed, sizeof packed);
        damaged[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (inflate(damaged, sizeof packed, length, text))
            noticed++;
        else
            assert_memory_equal(text, expected, length);
    }
    assert_true(noticed > 8 * (sizeof packed - 3));
}

/* A file with some bytes in front of the section, and a header in front of what is packed. */
static int make_file(void)
{
    int fd = memfd_create("section", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, packed, sizeof packed, 2 * HEADER_BYTES), sizeof packed);
    return fd;
}

static int note(void *user, size_t bytes)
{
    size_t *reached = user;
    assert_true(bytes >= *reached);
    *reached = bytes;
    return 0;
}

static void section_of_a_file_is_inflated(void **state)
{
    char expected[TEXT_BYTES_MAX], text[TEXT_BYTES_MAX];
    size_t length = make_text(expected), reached = 0;
    const struct compression compression = {COMPRESSION_ZLIB, HEADER_BYTES, length};
    const struct inflate_watch watch = {note, &reached};
    _cleanup_close_ int fd = make_file();
    (void)state;
    assert_int_equal(compression_inflate_file(&compression, fd, HEADER_BYTES,
                                              HEADER_BYTES + sizeof packed, text, &watch),
                     0);
    assert_memory_equal(text, expected, length);
    assert_int_equal(reached, length);
}

static void shorter_file_cannot_be_read(void **state)
{
    char text[TEXT_BYTES_MAX];
    const struct compression compression = {COMPRESSION_ZLIB, HEADER_BYTES, make_text(text)};
    _cleanup_close_ int fd = make_file();
    (void)state;
    assert_int_equal(ftruncate(fd, 2 * HEADER_BYTES + sizeof packed - 1), 0);
    assert_int_equal(compression_inflate_file(&compression, fd, HEADER_BYTES,
                                              HEADER_BYTES + sizeof packed, text, NULL),
                     -EIO);
}

static int refuse(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return -ECANCELED;
}

static void watch_can_end_it(void **state)
{
    char text[TEXT_BYTES_MAX];
    const struct compression compression = {COMPRESSION_ZLIB, HEADER_BYTES, make_text(text)};
    const struct inflate_watch watch = {refuse, NULL};
    _cleanup_close_ int fd = make_file();
    (void)state;
    assert_int_equal(compression_inflate_file(&compression, fd, HEADER_BYTES,
                                              HEADER_BYTES + sizeof packed, text, &watch),
                     -ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_zlib_packed_is_inflated),
        cmocka_unit_test(another_length_is_refused),
        cmocka_unit_test(stream_that_ends_early_is_refused),
        cmocka_unit_test(damaged_bit_is_noticed),
        cmocka_unit_test(section_of_a_file_is_inflated),
        cmocka_unit_test(shorter_file_cannot_be_read),
        cmocka_unit_test(watch_can_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
