/* Samples of tasks that have given their id up. */
#include "capture/exiting_tasks.h"

void exiting_tasks_note(struct exiting_tasks *tasks, const struct record *record)
{
    tasks->last[record->cpu % EXITING_TASKS] =
        (struct exiting_task){record->cpu, record->pid, record->tid};
}

void exiting_tasks_name(const struct exiting_tasks *tasks, struct record *record)
{
    const struct exiting_task *last = &tasks->last[record->cpu % EXITING_TASKS];
    bool is_told =
        last->tid && last->cpu == record->cpu && (record->pid <= 0 || record->pid == last->pid);
    record->pid = is_told ? last->pid : record->pid > 0 ? record->pid : 0;
    record->tid = is_told ? last->tid : 0;
    record->sample.pid = record->pid;
    record->sample.tid = record->tid;
}
