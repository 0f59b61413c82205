/* Recognises interpreters by name, Go and Rust programs by what their compilers leave in ELF. */
#include "process/runtime.h"

#include <gelf.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/elf_limits.h"
#include "lprofd/privilege.h"

#define COMMENT_BYTES_MAX 4096
#define SECTIONS_MAX 4096

/* A prefix is followed by the end or by a version: "python3.11", not "pythonic". */
static const struct {
    const char *prefix, *runtime;
} interpreters[] = {
    {"python", "python"},   {"pypy", "pypy"},  {"java", "java"}, {"nodejs", "node"},
    {"node", "node"},       {"ruby", "ruby"},  {"perl", "perl"}, {"php-fpm", "php"},
    {"php", "php"},         {"luajit", "lua"}, {"lua", "lua"},   {"dotnet", "dotnet"},
    {"beam.smp", "erlang"},
};

static bool is_version(const char *text, size_t length)
{
    return strspn(text, "0123456789.-dbgm") >= length;
}

const char *runtime_of_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strcspn(name, " "); /* "/usr/bin/python3.11 (deleted)" */
    for (size_t i = 0; i < array_length(interpreters); i++) {
        size_t prefix = strlen(interpreters[i].prefix);
        if (length >= prefix && memcmp(name, interpreters[i].prefix, prefix) == 0 &&
            is_version(name + prefix, length - prefix))
            return interpreters[i].runtime;
    }
    return NULL;
}

/* The compilers that built the file sign its .comment section. */
static bool comment_names_rustc(Elf_Scn *section)
{
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_size > ELF_SMALL_BYTES_MAX)
        return false;
    const Elf_Data *data = elf_rawdata(section, NULL);
    if (!data || !data->d_buf)
        return false;
    size_t bytes = data->d_size < COMMENT_BYTES_MAX ? data->d_size : COMMENT_BYTES_MAX;
    return memmem(data->d_buf, bytes, "rustc version", strlen("rustc version")) != NULL;
}

static const char *runtime_of_elf(Elf *elf)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) < 0)
        return "native";
    Elf_Scn *section = NULL;
    for (int i = 0; i < SECTIONS_MAX && (section = elf_nextscn(elf, section)); i++) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header))
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (!name)
            continue;
        if (strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".note.go.buildid") == 0)
            return "go";
        if (strcmp(name, ".comment") == 0 && comment_names_rustc(section))
            return "rust";
    }
    return "native";
}

const char *runtime_of_process(pid_t pid)
{
    char path[PATH_MAX];
    const char *runtime = NULL;
    if (privilege_read_exe_link(pid, sizeof path, path) == 0)
        runtime = runtime_of_name(path);
    if (runtime)
        return runtime;
    _cleanup_close_ int fd = -1;
    if (privilege_open_proc(pid, 0, PROC_EXE, &fd))
        return "unknown";
    Elf *elf = elf_open(fd);
    if (!elf)
        return "native";
    runtime = runtime_of_elf(elf);
    elf_end(elf);
    return runtime;
}

struct runtime_advice {
    const char *runtime, *advice;
};

static const struct runtime_advice naming[] = {
    {"java", "run `jcmd PID Compiler.perfmap` (JDK 17 and later)"},
    {"node", "start it with --perf-basic-prof, or with --perf-prof for lines"},
    {"python", "start it with -X perf (Python 3.12 and later)"},
    {"pypy", "PyPy does not tell its names"}, /* it takes -X perf and does nothing */
    {"ruby", "start it with --yjit-perf (Ruby 3.3 and later)"},
    {"php", "set opcache.jit_debug=0x10 for what opcache's JIT compiles; what regular expressions "
            "are compiled to (pcre.jit) never has any"},
    {"dotnet", "start it with DOTNET_PerfMapEnabled=1 in its environment"},
    {"erlang", "start it with +JPperf true"},
};

static const struct runtime_advice frame_pointers[] = {
    {"java", "start it with -XX:+PreserveFramePointer"},
    {"ruby", "start it with --yjit-perf (Ruby 3.3 and later)"},
    {"erlang", "start it with +JPperf true"},
};

static const char *find_advice(const struct runtime_advice *known, size_t count,
                               const char *runtime)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(runtime, known[i].runtime) == 0)
            return known[i].advice;
    return NULL;
}

const char *runtime_naming(const char *runtime)
{
    return find_advice(naming, array_length(naming), runtime);
}

const char *runtime_frame_pointers(const char *runtime)
{
    return find_advice(frame_pointers, array_length(frame_pointers), runtime);
}
