/* The BPF program that lets only one process's samples into a per-CPU perf event. */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/negative_errno.h"
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
#define SKIP_IF_EQUAL(register, number, count)                                                     \
    {                                                                                              \
        .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (register), .off = (count), .imm = (number)  \
    }
#define STORE_U32(to, from, offset)                                                                \
    {                                                                                              \
        .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (offset)     \
    }
/* The address of a map takes two instructions too. */
#define SET_MAP(register, fd)                                                                      \
    {.code = BPF_LD | BPF_DW | BPF_IMM,                                                            \
     .dst_reg = (register),                                                                        \
     .src_reg = BPF_PSEUDO_MAP_FD,                                                                 \
     .imm = (fd)},                                                                                 \
    {                                                                                              \
        .imm = 0                                                                                   \
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

/* The thread group's id in its own, innermost namespace: the last number of NStgid. */
static int innermost_pid(pid_t pid, uint32_t *ret_pid)
{
    _cleanup_free_ char *status = NULL;
    int error = status_read(pid, &status);
    if (error)
        return error;
    const char *line = status_field(status, "NStgid:");
    if (!line)
        return -ENOTSUP;
    unsigned long pids[NAMESPACE_DEPTH_MAX];
    size_t count = status_numbers(line, pids, array_length(pids));
    if (count == 0)
        return -ENOTSUP;
    *ret_pid = (uint32_t)pids[count - 1];
    return 0;
}

/* Which namespace's ids a filter sees: those of the initial one are the plain ones. */
struct pid_namespace {
    bool initial;
    uint64_t device, inode; /* as the kernel counts inside; of no use for the initial one */
};

static int namespace_of(pid_t pid, struct pid_namespace *ret_namespace)
{
    struct stat status;
    if (stat("/proc/self/ns/pid", &status) < 0)
        return negative_errno();
    if (status.st_ino == INITIAL_PID_NAMESPACE) {
        *ret_namespace = (struct pid_namespace){.initial = true};
        return 0;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
    if (stat(path, &status) < 0)
        return errno == ENOENT ? -ESRCH : negative_errno();
    *ret_namespace = (struct pid_namespace){
        .device = (uint64_t)major(status.st_dev) << 20 | minor(status.st_dev),
        .inode = status.st_ino,
    };
    return 0;
}

int privilege_load_tgid_filter(pid_t pid, int *ret_fd)
{
    struct pid_namespace namespace = {0};
    uint32_t tgid = 0;
    int error = pid > 0 ? namespace_of(pid, &namespace) : -ESRCH;
    if (error)
        return error;
    if (namespace.initial)
        return load_initial_namespace_filter(pid, ret_fd);
    error = innermost_pid(pid, &tgid);
    return error ? error : load_namespace_filter(namespace.device, namespace.inode, tgid, ret_fd);
}

/* --- a set of thread groups --- */

#define TGIDS_MAX 65536

static int new_tgid_map(int *ret_fd)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_HASH;
    attributes.key_size = sizeof(uint32_t);
    attributes.value_size = sizeof(uint32_t);
    attributes.max_entries = TGIDS_MAX;
    attributes.map_flags = BPF_F_NO_PREALLOC;
    memcpy(attributes.map_name, "lprofd_tgids", sizeof "lprofd_tgids");
    long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
    if (fd < 0)
        return -errno;
    *ret_fd = (int)fd;
    return 0;
}

static int load_initial_namespace_set(int map_fd, int *ret_fd)
{
    const struct bpf_insn program[] = {
        CALL(BPF_FUNC_get_current_pid_tgid),
        SHIFT_RIGHT(BPF_REG_0, 32),
        STORE_U32(BPF_REG_10, BPF_REG_0, -4),
        COPY(BPF_REG_2, BPF_REG_10),
        ADD(BPF_REG_2, -4),
        SET_MAP(BPF_REG_1, map_fd),
        CALL(BPF_FUNC_map_lookup_elem), /* r0 = NULL when the id is not in the set */
        SKIP_IF_EQUAL(BPF_REG_0, 0, 1),
        SET(BPF_REG_0, 1),
        EXIT(),
    };
    return load_program(program, array_length(program), ret_fd);
}

static int load_namespace_set(const struct pid_namespace *namespace, int map_fd, int *ret_fd)
{
    const struct bpf_insn program[] = {
        SET_U64(BPF_REG_1, namespace->device),
        SET_U64(BPF_REG_2, namespace->inode),
        COPY(BPF_REG_3, BPF_REG_10),
        ADD(BPF_REG_3, -(int)sizeof(struct bpf_pidns_info)),
        SET(BPF_REG_4, sizeof(struct bpf_pidns_info)),
        CALL(BPF_FUNC_get_ns_current_pid_tgid),
        COPY(BPF_REG_1, BPF_REG_0),
        SET(BPF_REG_0, 0),
        SKIP_UNLESS_EQUAL(BPF_REG_1, 0, 7),
        COPY(BPF_REG_2, BPF_REG_10),
        ADD(BPF_REG_2, -4), /* .tgid, the second member, is the key */
        SET_MAP(BPF_REG_1, map_fd),
        CALL(BPF_FUNC_map_lookup_elem),
        SKIP_IF_EQUAL(BPF_REG_0, 0, 1),
        SET(BPF_REG_0, 1),
        EXIT(),
    };
    return load_program(program, array_length(program), ret_fd);
}

int privilege_load_tgid_set_filter(pid_t pid, int *ret_map_fd, int *ret_program_fd)
{
    struct pid_namespace namespace = {0};
    _cleanup_close_ int map_fd = -1;
    int error = namespace_of(pid, &namespace);
    if (!error)
        error = new_tgid_map(&map_fd);
    if (!error)
        error = namespace.initial ? load_initial_namespace_set(map_fd, ret_program_fd)
                                  : load_namespace_set(&namespace, map_fd, ret_program_fd);
    if (!error)
        *ret_map_fd = take_fd(&map_fd);
    return error;
}

/* The id of `pid` as the filter will see it. */
static int key_of(pid_t pid, uint32_t *ret_key)
{
    struct pid_namespace namespace = {0};
    int error = namespace_of(pid, &namespace);
    if (error)
        return error;
    *ret_key = (uint32_t)pid;
    return namespace.initial ? 0 : innermost_pid(pid, ret_key);
}

/*
 * One of bpf(2)'s commands on an item of the set, whose value is lprofd's id of the process.
 * `place` is where the value is, or goes, or where the next key goes.
 */
static int map_command(int command, int map_fd, const uint32_t *key, uintptr_t place)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map_fd;
    attributes.key = (uintptr_t)key;
    attributes.value = place;
    return syscall(SYS_bpf, command, &attributes, sizeof attributes) < 0 ? -errno : 0;
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

/* Records of ends may be lost, and keys unknown: what stays is looked for when room is needed. */
static void forget_gone(int map_fd)
{
    uint32_t last = 0, key = 0, pid = 0;
    bool has_last = false;
    while (map_command(BPF_MAP_GET_NEXT_KEY, map_fd, has_last ? &last : NULL, (uintptr_t)&key) ==
           0) {
        if (map_command(BPF_MAP_LOOKUP_ELEM, map_fd, &key, (uintptr_t)&pid) == 0 &&
            is_gone((pid_t)pid) && map_command(BPF_MAP_DELETE_ELEM, map_fd, &key, 0) == 0)
            continue;
        last = key;
        has_last = true;
    }
}

int privilege_tgid_set_add(int map_fd, pid_t pid)
{
    uint32_t key = 0, value = (uint32_t)pid;
    int error = key_of(pid, &key);
    if (!error)
        error = map_command(BPF_MAP_UPDATE_ELEM, map_fd, &key, (uintptr_t)&value);
    if (error != -E2BIG)
        return error;
    forget_gone(map_fd);
    return map_command(BPF_MAP_UPDATE_ELEM, map_fd, &key, (uintptr_t)&value);
}

int privilege_tgid_set_remove(int map_fd, pid_t pid, pid_t inner_pid)
{
    const uint32_t keys[] = {(uint32_t)pid, (uint32_t)inner_pid};
    for (size_t i = 0; i < array_length(keys); i++) {
        uint32_t value = 0;
        int error = map_command(BPF_MAP_LOOKUP_ELEM, map_fd, &keys[i], (uintptr_t)&value);
        if (!error && value == (uint32_t)pid) /* not of another one that has it as its own id */
            return map_command(BPF_MAP_DELETE_ELEM, map_fd, &keys[i], 0);
    }
    return -ENOENT;
}
