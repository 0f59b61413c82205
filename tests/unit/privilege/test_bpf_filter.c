/* The filter lets samples of one process through, and no others, in every pid namespace. */
#include "children.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"

static void spin(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static pid_t start_spinning(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cpu_set_t first;
        CPU_ZERO(&first);
        CPU_SET(0, &first);
        sched_setaffinity(0, sizeof first, &first);
        spin();
    }
    return pid;
}

static int open_clock(int *ret_fd)
{
    struct perf_event_attr attributes = {
        .size = sizeof attributes,
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .sample_period = 1000000,
        .sample_type = PERF_SAMPLE_TID,
        .disabled = 1,
    };
    return privilege_open_perf_event(&attributes, -1, 0, ret_fd);
}

#define USED_NS (60 * UINT64_C(1000000)) /* of CPU time, with a sample in each millisecond */
#define SAMPLES_MIN 20

struct counts {
    unsigned wanted, others;
    uint64_t used_ns; /* by the wanted one meanwhile, or a little more */
};

static struct counts count_samples(struct perf_event_mmap_page *ring, size_t page, pid_t wanted)
{
    struct counts counts = {0};
    uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
    const char *data = (const char *)ring + page;
    for (uint64_t at = 0; at < head && head <= 16 * page;) {
        struct {
            struct perf_event_header header;
            uint32_t pid, tid;
        } sample;
        memcpy(&sample, data + at, sizeof sample);
        if (sample.header.type == PERF_RECORD_SAMPLE && sample.pid == (uint32_t)wanted)
            counts.wanted++;
        else if (sample.header.type == PERF_RECORD_SAMPLE)
            counts.others++;
        at += sample.header.size;
    }
    return counts;
}

static uint64_t cpu_time_ns(pid_t pid)
{
    uint64_t cpu_ns = 0;
    return privilege_read_cpu_time(pid, &cpu_ns) ? 0 : cpu_ns;
}

/* Until both had their turns, however long that takes; what the first has used. */
static uint64_t let_both_run(pid_t wanted, pid_t other)
{
    uint64_t start_ns = cpu_time_ns(wanted), other_start_ns = cpu_time_ns(other), used_ns = 0;
    for (int i = 0;
         i < 2000 && (used_ns < USED_NS || cpu_time_ns(other) - other_start_ns < USED_NS); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
        used_ns = cpu_time_ns(wanted) - start_ns;
    }
    return used_ns;
}

/* Samples CPU 0, for which both compete, with the filter on. 0, or why it could not be done. */
static int sample_with_filter(pid_t wanted, pid_t other, struct counts *ret_counts)
{
    int filter = -1;
    int event = -1;
    int error = privilege_load_tgid_filter(wanted, &filter);
    if (!error)
        error = open_clock(&event);
    if (error)
        return error;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *ring = mmap(NULL, 17 * page, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
    if (ring == MAP_FAILED || ioctl(event, PERF_EVENT_IOC_SET_BPF, filter) < 0 ||
        ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0)
        return -errno;
    uint64_t used_ns = let_both_run(wanted, other);
    ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
    *ret_counts = count_samples(ring, page, wanted);
    ret_counts->used_ns = used_ns;
    munmap(ring, 17 * page);
    close(event);
    close(filter);
    return 0;
}

static void only_the_wanted_process_is_sampled(void **state)
{
    (void)state;
    pid_t wanted = start_spinning();
    pid_t other = start_spinning();
    struct counts counts = {0};
    int error = sample_with_filter(wanted, other, &counts);
    child_end(wanted);
    child_end(other);
    if (error == -EPERM || error == -EACCES || error == -ENOSYS) {
        print_message("skipped: perf events or BPF are refused here\n");
        skip();
    }
    assert_int_equal(error, 0);
    assert_in_range(counts.wanted, SAMPLES_MIN, 100 + 2 * counts.used_ns / 1000000);
    assert_int_equal(counts.others, 0);
}

/* As the first process of a new namespace. 0: as wanted; else a line number or 255. */
static int sample_inside_namespace(void)
{
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("proc", "/proc", "proc", 0, NULL))
        return 255;
    pid_t wanted = start_spinning();
    pid_t other = start_spinning();
    struct counts counts = {0};
    int error = sample_with_filter(wanted, other, &counts);
    if (error)
        return error == -EPERM || error == -EACCES || error == -ENOSYS ? 254 : 1;
    /* The ring shows ids of the namespace of whoever opened the event. */
    if (wanted > 100 || counts.others != 0)
        return 2;
    if (counts.wanted < SAMPLES_MIN)
        return 3;
    child_end(wanted);
    child_end(other);
    return 0;
}

static void it_works_inside_a_pid_namespace(void **state)
{
    (void)state;
    need_root();
    pid_t outer = fork();
    if (outer == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS))
            _exit(255);
        pid_t inner = fork();
        if (inner == 0)
            _exit(sample_inside_namespace());
        int status;
        _exit(waitpid(inner, &status, 0) == inner && WIFEXITED(status) ? WEXITSTATUS(status) : 4);
    }
    int status;
    assert_int_equal(waitpid(outer, &status, 0), outer);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) >= 254) {
        print_message("skipped: no namespaces, perf events or BPF here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_process_that_is_not_there_has_no_filter(void **state)
{
    (void)state;
    int fd = -1;
    assert_int_equal(privilege_load_tgid_filter(0, &fd), -ESRCH);
    assert_int_equal(privilege_load_tgid_filter(-5, &fd), -ESRCH);
    assert_int_equal(fd, -1);
}

static int set_item(int command, int map_fd, uint32_t key, uint32_t value)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map_fd;
    attributes.key = (uintptr_t)&key;
    attributes.value = (uintptr_t)&value;
    return syscall(SYS_bpf, command, &attributes, sizeof attributes) < 0 ? -errno : 0;
}

/* As after an hour of `make`: as many children as there is room for, most of whom have ended. */
static void children_that_have_ended_give_way(void **state)
{
    (void)state;
    _cleanup_close_ int map_fd = -1;
    _cleanup_close_ int program_fd = -1;
    pid_t ended = start_spinning(), first = start_spinning(), last = start_spinning();
    child_end(ended);
    int error = privilege_load_tgid_set_filter(first, &map_fd, &program_fd);
    if (error == -EPERM || error == -EACCES || error == -ENOSYS) {
        child_end(first);
        child_end(last);
        print_message("skipped: BPF is refused here\n");
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(privilege_tgid_set_add(map_fd, first), 0);
    uint32_t count = 1;
    for (uint32_t key = 1u << 23; !error && count < 1u << 20; key++, count++)
        error = set_item(BPF_MAP_UPDATE_ELEM, map_fd, key, (uint32_t)ended);
    assert_int_equal(error, -E2BIG);
    assert_in_range(count, 1u << 16, (1u << 16) + 1);
    assert_int_equal(privilege_tgid_set_add(map_fd, last), 0);
    assert_int_equal(set_item(BPF_MAP_LOOKUP_ELEM, map_fd, (uint32_t)first, 0), 0);
    assert_int_equal(set_item(BPF_MAP_LOOKUP_ELEM, map_fd, (uint32_t)last, 0), 0);
    assert_int_equal(set_item(BPF_MAP_LOOKUP_ELEM, map_fd, 1u << 23, 0), -ENOENT);
    child_end(first);
    child_end(last);
}

static bool has_key(int map_fd, pid_t key)
{
    return set_item(BPF_MAP_LOOKUP_ELEM, map_fd, (uint32_t)key, 0) == 0;
}

/* Of several pid namespaces, in which one calls itself as the other is called outside. */
static void one_that_has_ended_is_taken_out_and_no_other(void **state)
{
    (void)state;
    _cleanup_close_ int map_fd = -1;
    _cleanup_close_ int program_fd = -1;
    const pid_t inner = 5, stranger = 1 << 23;
    pid_t ended = start_spinning(), nested = start_spinning(), other = start_spinning();
    int error = privilege_load_tgid_set_filter(ended, &map_fd, &program_fd);
    if (!error)
        error = privilege_tgid_set_add(map_fd, ended);
    if (!error)
        error = privilege_tgid_set_add(map_fd, other);
    if (!error)
        error = set_item(BPF_MAP_UPDATE_ELEM, map_fd, (uint32_t)inner, (uint32_t)nested);
    if (!error)
        error = set_item(BPF_MAP_UPDATE_ELEM, map_fd, (uint32_t)nested, (uint32_t)stranger);
    child_end(ended);
    child_end(nested);
    child_end(other);
    if (error == -EPERM || error == -EACCES || error == -ENOSYS) {
        print_message("skipped: BPF is refused here\n");
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(privilege_tgid_set_remove(map_fd, ended, ended), 0);
    assert_false(has_key(map_fd, ended));
    assert_int_equal(privilege_tgid_set_remove(map_fd, ended, ended), -ENOENT);
    assert_int_equal(privilege_tgid_set_remove(map_fd, nested, inner), 0);
    assert_false(has_key(map_fd, inner));
    assert_true(has_key(map_fd, nested));
    assert_true(has_key(map_fd, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_wanted_process_is_sampled),
        cmocka_unit_test(it_works_inside_a_pid_namespace),
        cmocka_unit_test(a_process_that_is_not_there_has_no_filter),
        cmocka_unit_test(children_that_have_ended_give_way),
        cmocka_unit_test(one_that_has_ended_is_taken_out_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
