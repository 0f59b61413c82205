/* Which language runtime a process is, by cheap evidence. */
#pragma once

#include <sys/types.h>

/*
 * "python", "pypy", "java", "node", "ruby", "perl", "php", "lua", "dotnet", "erlang", "go", "rust",
 * "native", or "unknown" when its executable cannot be read. By the executable's name; for
 * programs of any other name by what their compiler left in the file. A constant string.
 */
const char *runtime_of_process(pid_t pid);

/* The same for a name alone ("python3.11", also with " (deleted)"); NULL when it says nothing. */
const char *runtime_of_name(const char *path);

/*
 * What makes that runtime name the code that it compiles, as a clause for people: "start it with
 * --perf-basic-prof", or that nothing does; NULL when it does not compile, or is not known. A
 * constant string.
 */
const char *runtime_naming(const char *runtime);
/* The same for keeping frame pointers in it, without which its callers are not found. */
const char *runtime_frame_pointers(const char *runtime);
