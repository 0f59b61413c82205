/* What kind of code a module is, in one word: for colours. */
#pragma once

#include "lprofd/profile.h"

/*
 * "target": a program; "library"; "runtime": the C and C++ libraries and the dynamic linker;
 * "kernel"; "vdso"; "jit": code made at run time whose compiler tells of it; "anonymous": such that
 * nobody tells of; "unknown": none, as for the ends of stacks. Needs the symbols' shared lock.
 */
const char *module_kind_name(const struct profile_view *view, uint32_t module);
