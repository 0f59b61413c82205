/* The BPF program that lets only one process's samples into a per-CPU perf event. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "privilege/status.h"

/* PROC_PID_INIT_INO of the kernel's proc_ns.h: the first pid namespace's inode. */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFC

#define NAMESPACE_DEPTH_MAX 33 /* MAX_PID_NS_LEVEL of the kernel, and the initial one */

/* Instructions as in the BPF instruction set specification (Linux Documentation/bpf). */
#define CALL(function)                                                                             \
    {                                                                                              \
        .code = BPF_JMP | BPF_CALL, .imm = (function)                                              \
    }
#define EXIT()                                                                                     \
    {                                                                                              \
        .code = BPF_JMP | BPF_EXIT                                                                 \
    }
#define SHIFT_RIGHT(register, bits)                                                                \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = (register), .imm = (bits)                  \
    }
#define ADD(register, number)                                                                      \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (register), .imm = (number)                \
    }
#define SET(register, number)                                                                      \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (register), .imm = (number)                \
    }
#define COPY(to, from)                                                                             \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)                    \
    }
#define LOAD_U32(to, from, offset)                                                                 \
    {                                                                                              \
        .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (offset)     \
    }
#define SKIP_UNLESS_EQUAL(register, number, count)                                                 \
    {                                                                                              \
        .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (register), .off = (count),                  \
        .imm = (int32_t)(number)                                                                   \
    }
/* A 64-bit constant takes two instructions. */
#define SET_U64(register, number)                                                                  \
    {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (register), .imm = (int32_t)(number)},          \
    {                                                                                              \
        .imm = (int32_t)((uint64_t)(number) >> 32)                                                 \
    }

static int load_program(const struct bpf_insn *instructions, size_t count, int *ret_fd)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_PERF_EVENT;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = (uint32_t)count;
    attributes.license = (uintptr_t) "Dual MIT/GPL";
    memcpy(attributes.prog_name, "lprofd_filter", sizeof "lprofd_filter");
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
        if (fd >= 0) {
            *ret_fd = (int)fd;
            return 0;
        }
        if (errno != EAGAIN || tries == 5) /* the verifier is interrupted by signals */
            return -errno;
    }
}

static int load_initial_namespace_filter(pid_t pid, int *ret_fd)
{
    const struct bpf_insn program[] = {
        CALL(BPF_FUNC_get_current_pid_tgid), /* r0 = tgid << 32 | tid */
        COPY(BPF_REG_1, BPF_REG_0),
        SHIFT_RIGHT(BPF_REG_1, 32),
        SET(BPF_REG_0, 0),
        SKIP_UNLESS_EQUAL(BPF_REG_1, pid, 1),
        SET(BPF_REG_0, 1),
        EXIT(), /* 0: no sample is taken */
    };
    return load_program(program, array_length(program), ret_fd);
}

/* `device` as the kernel counts inside (MINORBITS is 20 there), `tgid` in that namespace. */
static int load_namespace_filter(uint64_t device, uint64_t inode, uint32_t tgid, int *ret_fd)
{
    const struct bpf_insn program[] = {
        SET_U64(BPF_REG_1, device),
        SET_U64(BPF_REG_2, inode),
        COPY(BPF_REG_3, BPF_REG_10),
        ADD(BPF_REG_3, -(int)sizeof(struct bpf_pidns_info)),
        SET(BPF_REG_4, sizeof(struct bpf_pidns_info)),
        CALL(BPF_FUNC_get_ns_current_pid_tgid), /* fails for tasks of other namespaces */
        COPY(BPF_REG_1, BPF_REG_0),
        SET(BPF_REG_0, 0),
        SKIP_UNLESS_EQUAL(BPF_REG_1, 0, 3),
        LOAD_U32(BPF_REG_2, BPF_REG_10, -4), /* .tgid, the second member */
        SKIP_UNLESS_EQUAL(BPF_REG_2, tgid, 1),
        SET(BPF_REG_0, 1),
        EXIT(),
    };
    return load_program(program, array_length(program), ret_fd);
}

/* The thread group's id in its own, innermost namespace: the last number of NSpid. */
static int innermost_pid(pid_t pid, uint32_t *ret_pid)
{
    _cleanup_free_ char *status = NULL;
    int error = status_read(pid, &status);
    if (error)
        return error;
    const char *line = status_field(status, "NSpid:");
    if (!line)
        return -ENOTSUP;
    unsigned long pids[NAMESPACE_DEPTH_MAX];
    size_t count = status_numbers(line, pids, array_length(pids));
    if (count == 0)
        return -ENOTSUP;
    *ret_pid = (uint32_t)pids[count - 1];
    return 0;
}

int privilege_load_tgid_filter(pid_t pid, int *ret_fd)
{
    if (pid <= 0)
        return -ESRCH;
    struct stat own;
    if (stat("/proc/self/ns/pid", &own) < 0)
        return -errno;
    if (own.st_ino == INITIAL_PID_NAMESPACE)
        return load_initial_namespace_filter(pid, ret_fd);

    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    struct stat namespace;
    if (stat(path, &namespace) < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    uint32_t tgid;
    int error = innermost_pid(pid, &tgid);
    if (error)
        return error;
    uint64_t device = (uint64_t)major(namespace.st_dev) << 20 | minor(namespace.st_dev);
    return load_namespace_filter(device, namespace.st_ino, tgid, ret_fd);
}
