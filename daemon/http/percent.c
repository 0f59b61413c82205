/* Percent-encoding (RFC 3986). */
#include "http/percent.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int percent_decode(const char *bytes, size_t length, bool form, char **ret_text)
{
    _cleanup_free_ char *decoded = malloc(length + 1);
    if (!decoded)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = bytes[i];
        if (byte == '+' && form) {
            byte = ' ';
        } else if (byte == '%') {
            if (length - i < 3)
                return -EINVAL;
            int high = hex_digit(bytes[i + 1]);
            int low = hex_digit(bytes[i + 2]);
            if (high < 0 || low < 0)
                return -EINVAL;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (!byte)
            return -EINVAL;
        decoded[count++] = byte;
    }
    decoded[count] = '\0';
    *ret_text = take_pointer(decoded);
    return 0;
}
