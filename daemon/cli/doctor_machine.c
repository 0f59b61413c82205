/* The doctor's look at the machine: each right is tried, not guessed from versions. */
#include "cli/doctor_finding.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/ptrace_refusal.h"
#include "lprofd/privilege.h"

#define RING_BYTES ((size_t)2 << 20) /* what the default frequency and stack size need */
#define FILES_WANTED 1024            /* two per CPU, one per module, and the browsers */

static bool is_refusal(int error)
{
    return error == -EPERM || error == -EACCES;
}

static void look_at_kernel(FILE *out)
{
    struct utsname name;
    if (uname(&name) == 0)
        finding_print(out, FINDING_NOTE, "kernel", "%s %s %s, %ld CPUs", name.sysname, name.release,
                      name.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

static void look_at_capabilities(FILE *out)
{
    static const struct {
        unsigned number;
        const char *name, *with, *without;
    } wanted[] = {
        {CAP_PERFMON, "CAP_PERFMON", "perf events of all processes", "perf-cpu needs it"},
        {CAP_BPF, "CAP_BPF", "filters for perf events", "perf-cpu needs it"},
        {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "maps and memory of others' processes",
         "only processes of your own user can be read"},
    };
    bool missing = false;
    for (size_t i = 0; i < array_length(wanted); i++) {
        /* CAP_SYS_ADMIN includes the first two. */
        bool has = has_capability(wanted[i].number) ||
                   (wanted[i].number != CAP_SYS_PTRACE && has_capability(CAP_SYS_ADMIN));
        missing |= !has;
        finding_print(out, has ? FINDING_OK : FINDING_NO, wanted[i].name, "%s",
                      has ? wanted[i].with : wanted[i].without);
    }
    if (missing)
        finding_remedy_permission(out);
}

/* --- perf ------------------------------------------------------------------------------------- */

static struct perf_event_attr event_attributes(uint32_t type, uint64_t config)
{
    return (struct perf_event_attr){
        .size = sizeof(struct perf_event_attr),
        .type = type,
        .config = config,
        .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_STACK_USER,
        .sample_stack_user = 16384,
        .freq = 1,
        .sample_freq = 997,
        .exclude_callchain_user = 1,
        .disabled = 1,
    };
}

static void look_at_paranoia(FILE *out)
{
    long level;
    if (!read_sysctl("kernel/perf_event_paranoid", &level)) {
        finding_print(out, FINDING_NO, "perf_event_paranoid", "this kernel has no perf events");
        return;
    }
    bool exempt = has_capability(CAP_PERFMON) || has_capability(CAP_SYS_ADMIN);
    if (exempt || level <= 0)
        finding_print(out, FINDING_OK, "perf_event_paranoid", "%ld%s", level,
                      exempt ? ", which does not bind who has CAP_PERFMON" : "");
    else
        finding_print(out, FINDING_NO, "perf_event_paranoid",
                      "%ld: no events of a whole CPU without CAP_PERFMON%s", level,
                      level >= 2 ? ", and none of the kernel" : "");
    /* Lowering it alone would not do: the filter needs CAP_BPF. */
}

static void look_at_ring(FILE *out, int event_fd)
{
    size_t bytes = RING_BYTES + (size_t)sysconf(_SC_PAGESIZE);
    void *ring = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, event_fd, 0);
    if (ring != MAP_FAILED) {
        munmap(ring, bytes);
        finding_print(out, FINDING_OK, "ring buffers", "2 MiB per CPU may be locked in memory");
        return;
    }
    finding_print(out, FINDING_NO, "ring buffers", "2 MiB cannot be locked in memory: %s",
                  strerror(errno));
    finding_remedy(out, "ulimit -l unlimited, or sysctl kernel.perf_event_mlock_kb=4096");
}

static void look_at_filter(FILE *out, int event_fd)
{
    _cleanup_close_ int filter_fd = -1;
    int error = privilege_load_tgid_filter(getpid(), &filter_fd);
    if (error) {
        finding_print(out, FINDING_NO, "BPF filter",
                      "no program can be loaded (%s): perf-cpu does not work", strerror(-error));
        if (is_refusal(error))
            finding_remedy_permission(out);
        else
            finding_remedy(out, "boot a kernel with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS");
        return;
    }
    if (event_fd >= 0 && ioctl(event_fd, PERF_EVENT_IOC_SET_BPF, filter_fd) < 0)
        finding_print(out, FINDING_NO, "BPF filter", "it loads, but perf does not take it: %s",
                      strerror(errno));
    else
        finding_print(out, FINDING_OK, "BPF filter", "a program loads%s",
                      event_fd >= 0 ? " and filters a perf event" : "");
}

static void look_at_clock(FILE *out)
{
    _cleanup_close_ int fd = -1;
    struct perf_event_attr attributes =
        event_attributes(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
    int error = privilege_open_perf_event(&attributes, -1, 0, &fd);
    if (error) {
        finding_print(out, FINDING_NO, "perf cpu-clock", "cannot be opened for a whole CPU: %s",
                      strerror(-error));
        if (is_refusal(error))
            finding_remedy_permission(out);
        else if (error == -ENOSYS)
            finding_remedy(out, "boot a kernel with CONFIG_PERF_EVENTS, or use --backend ptrace");
    } else {
        finding_print(out, FINDING_OK, "perf cpu-clock", "opens for a whole CPU, kernel included");
        look_at_ring(out, fd);
    }
    look_at_filter(out, fd);
}

static void look_at_cycles(FILE *out)
{
    _cleanup_close_ int fd = -1;
    struct perf_event_attr attributes =
        event_attributes(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
    int error = privilege_open_perf_event(&attributes, -1, 0, &fd);
    if (!error)
        finding_print(out, FINDING_OK, "perf cycles", "the CPU counts cycles");
    else if (is_refusal(error))
        finding_print(out, FINDING_NO, "perf cycles", "not permitted: see perf cpu-clock");
    else
        finding_print(out, FINDING_NOTE, "perf cycles",
                      "no hardware counter here (%s): cpu-clock takes its place, which sees code "
                      "that runs with interrupts off only at its end",
                      strerror(-error));
}

/* --- ptrace, kernel symbols, limits, debug files ------------------------------------------------
 */

static void look_at_yama(FILE *out)
{
    int scope = ptrace_yama_scope();
    if (scope < 0)
        finding_print(out, FINDING_OK, "yama ptrace_scope", "not in this kernel: no restriction");
    else if (scope == 0 || (scope < 3 && has_capability(CAP_SYS_PTRACE)))
        finding_print(out, FINDING_OK, "yama ptrace_scope", "%d, which does not bind you", scope);
    else if (scope == 1) {
        finding_print(out, FINDING_NO, "yama ptrace_scope",
                      "1: only programs that lprofd starts itself can be traced");
        finding_remedy(out, "sysctl kernel.yama.ptrace_scope=0");
    } else if (scope == 2) {
        finding_print(out, FINDING_NO, "yama ptrace_scope", "2: tracing needs CAP_SYS_PTRACE");
        finding_remedy(out, "sysctl kernel.yama.ptrace_scope=0");
    } else {
        finding_print(out, FINDING_NO, "yama ptrace_scope",
                      "3: nobody may trace until the next boot");
    }
}

/* Names without addresses are what a restricted reader gets. */
static bool kallsyms_have_addresses(void)
{
    int fd = -1;
    if (privilege_open_kallsyms(&fd))
        return false;
    _cleanup_file_ FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return false;
    }
    uint64_t address;
    for (int i = 0; i < 100 && fscanf(file, "%" SCNx64 " %*[^\n]", &address) == 1; i++)
        if (address != 0)
            return true;
    return false;
}

static void look_at_kernel_symbols(FILE *out)
{
    long level = 0;
    read_sysctl("kernel/kptr_restrict", &level);
    if (kallsyms_have_addresses()) {
        finding_print(out, FINDING_OK, "kernel symbols", "/proc/kallsyms shows addresses");
        return;
    }
    finding_print(out, FINDING_NO, "kernel symbols",
                  "/proc/kallsyms hides addresses: kernel functions have no names");
    if (geteuid() == 0 || level > 0)
        finding_remedy(out, "sysctl kernel.kptr_restrict=0");
    else
        finding_remedy(out, "run lprofd as root, or once, as root: sysctl "
                            "kernel.perf_event_paranoid=1 kernel.kptr_restrict=0");
}

static void look_at_limits(FILE *out)
{
    struct rlimit files, memory;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || getrlimit(RLIMIT_MEMLOCK, &memory) < 0)
        return;
    bool enough = files.rlim_cur >= FILES_WANTED;
    finding_print(out, enough ? FINDING_OK : FINDING_NO, "open files", "%llu%s",
                  (unsigned long long)files.rlim_cur,
                  enough ? "" : ": too few for a program with many modules or threads");
    if (!enough)
        finding_remedy(out, "ulimit -n 4096");
    if (memory.rlim_cur == RLIM_INFINITY)
        finding_print(out, FINDING_NOTE, "locked memory", "unlimited");
    else
        finding_print(out, FINDING_NOTE, "locked memory", "%llu KiB",
                      (unsigned long long)memory.rlim_cur / 1024);
}

static void look_at_debug_files(FILE *out)
{
    struct stat status;
    if (stat("/usr/lib/debug/.build-id", &status) == 0) {
        finding_print(out, FINDING_OK, "debug files", "/usr/lib/debug/.build-id is there");
        return;
    }
    finding_print(out, FINDING_NOTE, "debug files",
                  "none below /usr/lib/debug: libraries of the system show functions, not lines");
    finding_remedy(out,
                   "apt-get install libc6-dbg, and NAME-dbgsym or NAME-dbg of what you profile");
}

void doctor_machine(FILE *out)
{
    look_at_kernel(out);
    look_at_capabilities(out);
    look_at_paranoia(out);
    look_at_clock(out);
    look_at_cycles(out);
    look_at_yama(out);
    look_at_kernel_symbols(out);
    look_at_limits(out);
    look_at_debug_files(out);
}
