/* What all harnesses share: the entry point, assertions, and reading a file's worth of input. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A broken promise is a finding, as a crash is. */
#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy of exactly these bytes and a NUL, so that a read beyond them is noticed. */
static inline char *fuzz_string(const uint8_t *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    fuzz_check(copy);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

/* Reads every byte, so that one that is not there is noticed. */
static inline void fuzz_touch(const void *bytes, size_t length)
{
    const volatile unsigned char *cursor = bytes;
    for (size_t i = 0; i < length; i++)
        (void)cursor[i];
}
