/* Names of compiled code that also say where it was written. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct jit_name {
    char *function, *path;
    uint32_t line, column; /* where the function begins; from 1; column 0 unknown */
};

/*
 * Takes a name apart that V8 gives to a function of a script: "JS:*fib /tmp/a.js:3:12" is fib of
 * /tmp/a.js, whichever of its compilers the mark before it stands for ("~" interpreter, "^" and "+"
 * baseline, "*" optimised). 0, -ENOENT when it is no such name, -ENOMEM.
 */
int jit_name_parse(const char *name, struct jit_name *ret_name);
void jit_name_free(struct jit_name *name);
