/* Lines of a source, as its compiler counts them. */
#pragma once

#include <stddef.h>

/*
 * Makes each '\r' that ends a line a '\n', but for those before a '\n'. They do for compilers of C
 * ("GCC accepts the ASCII control sequences LF, CR LF and CR as end-of-line markers", The C
 * Preprocessor, 1.1) and of most languages; not for those of Rust, Go and Fortran, nor in assembly
 * that is not preprocessed, which the ending of `path` tells.
 */
void source_end_lines(char *bytes, size_t length, const char *path);
