/* Names of C++, Rust, D and Fortran as people write them. */
#pragma once

/*
 * *ret_name is the malloc'ed readable name, or a copy of `symbol` when it is not mangled (or would
 * grow beyond reason: names come from files that may lie), of which what is longer than the store
 * keeps may be missing. 0 or -ENOMEM.
 */
int demangle(const char *symbol, char **ret_name);
