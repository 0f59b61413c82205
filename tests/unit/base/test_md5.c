/* MD5 against the test suite of RFC 1321 (section A.5), and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/md5.h"

static void assert_sum(const char *text, size_t piece, const char *want)
{
    struct md5 md5;
    unsigned char sum[MD5_BYTES];
    char hex[2 * MD5_BYTES + 1];
    md5_init(&md5);
    for (size_t left = strlen(text), count; left; left -= count, text += count) {
        count = left < piece ? left : piece;
        md5_add(&md5, text, count);
    }
    md5_finish(&md5, sum);
    for (size_t i = 0; i < MD5_BYTES; i++)
        sprintf(hex + 2 * i, "%02x", sum[i]);
    assert_string_equal(hex, want);
}

static void the_sums_are_those_of_the_rfc(void **state)
{
    (void)state;
    assert_sum("", 64, "d41d8cd98f00b204e9800998ecf8427e");
    assert_sum("a", 64, "0cc175b9c0f1b6a831c399e269772661");
    assert_sum("abc", 64, "900150983cd24fb0d6963f7d28e17f72");
    assert_sum("message digest", 64, "f96b697d7cb7938d525a2f31aaf161d0");
    assert_sum("abcdefghijklmnopqrstuvwxyz", 64, "c3fcd3d76192e4007dfb496cca67e13b");
    assert_sum("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 64,
               "d174ab98d277d9f5a5611c2c9f419d9f");
}

static void pieces_do_not_change_the_sum(void **state)
{
    static const char text[] = "1234567890123456789012345678901234567890123456789012345678901234567"
                               "8901234567890";
    (void)state;
    for (size_t piece = 1; piece <= sizeof text; piece++)
        assert_sum(text, piece, "57edf4a22be3c955ac49da2e2107b67a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sums_are_those_of_the_rfc),
        cmocka_unit_test(pieces_do_not_change_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
