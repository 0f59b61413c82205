/* The list of processes shows what can be attached to, and how busy it is now. */
#include "../mainless.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/proc_text.h"
#include "process/process_list.h"
#include "process/runtime.h"

static const struct process_entry *find(const struct process_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].pid == pid)
            return &list->entries[i];
    return NULL;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static pid_t start(const char *const command[])
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(command[0], (char *const *)(uintptr_t)command);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

/* Of one that works all the time, on a machine whose CPUs dozens of others want, too. */
#define BUSY_PERCENT 2.0

/* Both have executed their commands, which takes time, and the busy one has had a turn. */
static bool are_seen(const struct process_entry *busy, const struct process_entry *idle)
{
    return busy && idle && strncmp(busy->command, "sh -c", 5) == 0 &&
           strncmp(idle->command, "sleep", 5) == 0 && busy->cpu_percent > BUSY_PERCENT &&
           idle->cpu_percent < BUSY_PERCENT / 2;
}

static void a_busy_process_is_shown_as_busy_and_an_idle_one_as_idle(void **state)
{
    (void)state;
    const char *const busy_command[] = {"sh", "-c", "while :; do :; done", NULL};
    const char *const idle_command[] = {"sleep", "1000", NULL};
    pid_t busy = start(busy_command);
    pid_t idle = start(idle_command);
    struct process_list *list = NULL;
    const struct process_entry *first = NULL, *second = NULL;
    /* On a machine that is busy itself, its turn may not come within the 100 ms of one reading. */
    for (int tries = 0; tries < 200 && !are_seen(first, second); tries++) {
        process_list_free(list);
        assert_int_equal(process_list_read(&list), 0);
        first = find(list, busy);
        second = find(list, idle);
        assert_non_null(first);
        assert_non_null(second);
    }
    assert_string_equal(first->command, "sh -c while :; do :; done");
    assert_string_equal(second->command, "sleep 1000");
    assert_string_equal(second->runtime, "native");
    assert_int_equal(first->ppid, getpid());
    assert_int_equal(first->threads, 1);
    if (geteuid() == 0)
        assert_string_equal(first->user, "root");
    assert_true(first->cpu_percent > BUSY_PERCENT && first->cpu_percent < 120.0);
    assert_true(second->cpu_percent < BUSY_PERCENT / 2);
    assert_true(first < second);
    process_list_free(list);
    end(busy);
    end(idle);
}

/* By PF_KTHREAD; a process that has ended meanwhile is none. */
static bool is_kernel_thread(pid_t pid)
{
    struct proc_stat stat;
    return proc_read_stat(pid, 0, &stat) == 0 && (stat.flags & 0x00200000);
}

static void what_cannot_be_attached_to_is_left_out(void **state)
{
    (void)state;
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    struct process_list *list = NULL;
    assert_int_equal(process_list_read(&list), 0);
    assert_null(find(list, zombie));
    assert_null(find(list, getpid()));
    assert_null(find(list, 2)); /* kthreadd, or none in a container */
    for (size_t i = 0; i < list->count; i++)
        assert_false(is_kernel_thread(list->entries[i].pid));
    process_list_free(list);
    process_list_free(NULL);
    end(zombie);
}

static void a_process_without_its_main_thread_is_listed(void **state)
{
    (void)state;
    struct process_list *list = NULL;
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(process_list_read(&list), 0);
    const struct process_entry *entry = find(list, pid);
    assert_non_null(entry);
    assert_non_null(strstr(entry->command, "test_process_list"));
    assert_string_equal(entry->runtime, "native");
    process_list_free(list);
    mainless_end(pid);
}

static void a_hostile_command_line_stays_one_line(void **state)
{
    (void)state;
    char *huge = malloc(100001);
    assert_non_null(huge);
    memset(huge, 'x', 100000);
    huge[100000] = '\0';
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("sh", "sh", "-c", "while :; do sleep 1; done", "1000\n\033[2J", huge, NULL);
        _exit(127);
    }
    struct process_list *list = NULL;
    const struct process_entry *entry = NULL;
    for (int tries = 0; tries < 500 && (!entry || strlen(entry->command) < 4096); tries++) {
        process_list_free(list);
        assert_int_equal(process_list_read(&list), 0);
        entry = find(list, pid);
        assert_non_null(entry);
    }
    assert_int_equal(strlen(entry->command), 4096);
    assert_non_null(strstr(entry->command, "done 1000  [2J xxxx"));
    process_list_free(list);
    end(pid);
    free(huge);
}

static void runtimes_are_known_by_name(void **state)
{
    (void)state;
    assert_string_equal(runtime_of_name("/usr/bin/python3.11"), "python");
    assert_string_equal(runtime_of_name("/usr/bin/python3.11-dbg (deleted)"), "python");
    assert_string_equal(runtime_of_name("/usr/lib/jvm/java-17-openjdk-amd64/bin/java"), "java");
    assert_string_equal(runtime_of_name("/usr/bin/node"), "node");
    assert_string_equal(runtime_of_name("/usr/bin/nodejs (deleted)"), "node");
    assert_string_equal(runtime_of_name("lua5.4"), "lua");
    assert_string_equal(runtime_of_name("php-fpm8.2"), "php");
    assert_string_equal(runtime_of_name("/usr/bin/pypy3.9"), "pypy");
    assert_null(runtime_of_name("/usr/bin/pythonic"));
    assert_null(runtime_of_name("/usr/bin/javac"));
    assert_null(runtime_of_name(""));
}

/* pypy3 takes -X perf and does nothing; Ruby 3.1 and 3.2 refuse --yjit-perf. */
static void advice_is_given_where_it_works(void **state)
{
    (void)state;
    assert_non_null(strstr(runtime_naming("java"), "jcmd"));
    assert_non_null(strstr(runtime_naming("python"), "-X perf (Python 3.12 and later)"));
    assert_null(strstr(runtime_naming("pypy"), "-X"));
    assert_non_null(strstr(runtime_naming("ruby"), "--yjit-perf (Ruby 3.3 and later)"));
    assert_non_null(strstr(runtime_naming("php"), "regular expressions"));
    assert_null(runtime_naming("native"));
    assert_non_null(strstr(runtime_frame_pointers("java"), "-XX:+PreserveFramePointer"));
    assert_null(runtime_frame_pointers("pypy"));
    assert_null(runtime_frame_pointers("native"));
}

static void a_python_process_is_python_and_this_one_is_native(void **state)
{
    (void)state;
    assert_string_equal(runtime_of_process(getpid()), "native");
    assert_string_equal(runtime_of_process(0x7ffffff0), "unknown");
    if (access("/usr/bin/python3", X_OK) != 0) {
        print_message("skipped: needs python3\n");
        skip();
    }
    const char *const command[] = {"/usr/bin/python3", "-c", "import time; time.sleep(1000)", NULL};
    pid_t pid = start(command);
    for (int tries = 0; tries < 5000 && strcmp(runtime_of_process(pid), "python") != 0; tries++)
        usleep(10000); /* it has yet to execute */
    assert_string_equal(runtime_of_process(pid), "python");
    end(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_process_is_shown_as_busy_and_an_idle_one_as_idle),
        cmocka_unit_test(what_cannot_be_attached_to_is_left_out),
        cmocka_unit_test(a_process_without_its_main_thread_is_listed),
        cmocka_unit_test(a_hostile_command_line_stays_one_line),
        cmocka_unit_test(runtimes_are_known_by_name),
        cmocka_unit_test(advice_is_given_where_it_works),
        cmocka_unit_test(a_python_process_is_python_and_this_one_is_native),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
