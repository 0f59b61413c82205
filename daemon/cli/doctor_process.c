/* The doctor's look at one process: rights, executable, symbols, debug information. */
#include "cli/doctor_finding.h"

#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/elf_limits.h"
#include "capture/ptrace_refusal.h"
#include "lprofd/module.h"
#include "lprofd/privilege.h"
#include "process/process_check.h"
#include "process/runtime.h"

#define SECTIONS_MAX 65536

struct executable {
    bool is_elf, has_symbols, has_dynamic_symbols, has_debug_info, has_unwind_info;
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes;
};

static void target_cleanup(struct target **target)
{
    target_free(*target);
}

/* --- ELF ---------------------------------------------------------------------------------------
 */

static void read_build_id(Elf_Scn *section, struct executable *executable)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Nhdr note;
    size_t name, description;
    for (size_t at = 0; data && (at = gelf_getnote(data, at, &note, &name, &description)) > 0;) {
        if (note.n_type != NT_GNU_BUILD_ID || note.n_descsz > BUILD_ID_MAX ||
            description > data->d_size || note.n_descsz > data->d_size - description)
            continue;
        memcpy(executable->build_id, (const char *)data->d_buf + description, note.n_descsz);
        executable->build_id_bytes = note.n_descsz;
        return;
    }
}

static void look_at_section(Elf_Scn *section, const char *name, const GElf_Shdr *header,
                            struct executable *executable)
{
    if (header->sh_type == SHT_NOTE && executable->build_id_bytes == 0)
        read_build_id(section, executable);
    if (header->sh_type == SHT_NOBITS) /* what a split debug file keeps of the program */
        return;
    executable->has_symbols |= header->sh_type == SHT_SYMTAB;
    executable->has_dynamic_symbols |= header->sh_type == SHT_DYNSYM;
    executable->has_debug_info |= !strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info");
    executable->has_unwind_info |= !strcmp(name, ".eh_frame") || !strcmp(name, ".debug_frame");
}

static struct executable read_executable(int fd)
{
    struct executable executable = {0};
    Elf *elf = elf_open(fd);
    size_t names;
    if (elf && elf_getshdrstrndx(elf, &names) == 0) {
        executable.is_elf = true;
        Elf_Scn *section = NULL;
        for (int i = 0; i < SECTIONS_MAX && (section = elf_nextscn(elf, section)); i++) {
            GElf_Shdr header;
            const char *name =
                gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
            if (name)
                look_at_section(section, name, &header, &executable);
        }
    }
    elf_end(elf);
    return executable;
}

/* /usr/lib/debug/.build-id/ab/cdef.debug (gdb manual, "Separate Debug Files"). */
static bool find_debug_file(const struct target *target, const struct executable *executable,
                            char *ret_path, size_t bytes)
{
    if (executable->build_id_bytes < 2)
        return false;
    char hex[2 * BUILD_ID_MAX + 1];
    for (size_t i = 0; i < executable->build_id_bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", executable->build_id[i]);
    snprintf(ret_path, bytes, "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
    _cleanup_close_ int fd = -1;
    return privilege_open_in_target(target, ret_path, &fd) == 0 ||
           privilege_open_own(ret_path, &fd) == 0;
}

/* --- findings ----------------------------------------------------------------------------------
 */

/* dpkg's lists are those of our own root. */
static void advise_debug_info(FILE *out, const struct target *target, const char *path)
{
    _cleanup_free_ char *package = target->own_root ? package_of_file(path) : NULL;
    if (package)
        finding_remedy(out, "apt-get install %s-dbgsym, or %s-dbg where that exists", package,
                       package);
    else
        finding_remedy(out, "build it with -g (optimised is fine), and do not strip it");
}

static void print_debug_info(FILE *out, const struct target *target, const char *path,
                             const struct executable *executable)
{
    char debug_path[256];
    if (executable->has_debug_info)
        finding_print(out, FINDING_OK, "debug information", "in the executable: lines are shown");
    else if (find_debug_file(target, executable, debug_path, sizeof debug_path))
        finding_print(out, FINDING_OK, "debug information", "in %s: lines are shown", debug_path);
    else {
        finding_print(out, FINDING_NO, "debug information",
                      executable->has_symbols ? "none: functions are shown, lines are not"
                      : executable->has_dynamic_symbols
                          ? "none, and only exported symbols: few functions have names"
                          : "none, and no symbols: only addresses are shown");
        advise_debug_info(out, target, path);
    }
    if (executable->has_unwind_info)
        return;
    finding_print(out, FINDING_NO, "unwind information",
                  "none: callers are found only by frame pointers");
    finding_remedy(out, "build it with -fasynchronous-unwind-tables or -fno-omit-frame-pointer");
}

static void print_runtime(FILE *out, pid_t pid)
{
    const char *runtime = runtime_of_process(pid);
    static const char *const interpreted[] = {"python", "pypy", "java", "node",   "ruby",
                                              "perl",   "php",  "lua",  "dotnet", "erlang"};
    for (size_t i = 0; i < array_length(interpreted); i++)
        if (strcmp(runtime, interpreted[i]) == 0) {
            finding_print(out, FINDING_NOTE, "runtime",
                          "%s: the lines shown are those of the interpreter or virtual machine",
                          runtime);
            if (runtime_naming(runtime))
                finding_remedy(out, "names of code that it compiles: %s", runtime_naming(runtime));
            return;
        }
    finding_print(out, FINDING_OK, "runtime", "%s", runtime);
}

static void look_at_executable(FILE *out, pid_t pid, const struct target *target)
{
    _cleanup_close_ int fd = -1;
    char path[PATH_MAX];
    if (privilege_read_exe_link(pid, sizeof path, path))
        snprintf(path, sizeof path, "(unknown)");
    int error = privilege_open_proc(pid, 0, PROC_EXE, &fd);
    if (error) {
        finding_print(out, FINDING_NO, "executable", "%s cannot be read: %s", path,
                      strerror(-error));
        if (error == -EPERM || error == -EACCES)
            finding_remedy_permission(out);
        return;
    }
    struct executable executable = read_executable(fd);
    finding_print(out, executable.is_elf ? FINDING_OK : FINDING_NO, "executable", "%s%s", path,
                  executable.is_elf ? "" : " has no ELF sections: no names can be shown");
    print_runtime(out, pid);
    if (executable.is_elf)
        print_debug_info(out, target, path, &executable);
}

static void look_at_owner(FILE *out, const struct target *target)
{
    if (geteuid() == 0 || target->uid == geteuid() || has_capability(CAP_SYS_PTRACE))
        finding_print(out, FINDING_OK, "user", "%u: you may profile it", target->uid);
    else {
        finding_print(out, FINDING_NO, "user", "%u, not yours (%u)", target->uid, geteuid());
        finding_remedy_permission(out);
    }
    if (!target->own_root)
        finding_print(out, FINDING_NOTE, "root directory",
                      "its own (a container?): files are looked for there");
}

static void look_at_tracer(FILE *out, pid_t pid)
{
    pid_t tracer = ptrace_tracer_of(pid, 0);
    if (tracer <= 0)
        return;
    finding_print(out, FINDING_NOTE, "traced already",
                  "by %d (a debugger or strace?): the ptrace backend cannot be used", tracer);
    finding_remedy(out, "end %d if perf is refused as well", tracer);
}

int doctor_process(pid_t pid, FILE *out)
{
    struct failure failure = {0};
    int error = process_check(pid, &failure);
    if (error) {
        finding_print(out, FINDING_NO, "process", "%s", failure.text);
        return error;
    }
    finding_print(out, FINDING_OK, "process", "%d: a 64-bit user program", pid);
    look_at_tracer(out, pid);
    _cleanup_(target_cleanup) struct target *target = NULL;
    error = target_open(pid, &target);
    if (error == -ESRCH) {
        finding_print(out, FINDING_NO, "process", "%d has ended meanwhile", pid);
        return error;
    }
    if (error) {
        finding_print(out, FINDING_NO, "user", "its files cannot be reached: %s", strerror(-error));
        finding_remedy_permission(out);
        return 0;
    }
    look_at_owner(out, target);
    look_at_executable(out, pid, target);
    return 0;
}
