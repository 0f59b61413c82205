/* How the doctor prints what it found, and the groups of things it looks at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum finding {
    FINDING_OK,   /* works */
    FINDING_NO,   /* does not, and something is lost by it */
    FINDING_NOTE, /* good to know */
};

/* One line; what it means for a person is in the text. */
void finding_print(FILE *out, enum finding finding, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What to do about the line before: a command to type, or a sentence. */
void finding_remedy(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints how lprofd gets the right that was refused just now: file capabilities, root, container.
 */
void finding_remedy_permission(FILE *out);

/* The number in /proc/sys/NAME; false when there is none or it cannot be read. */
bool read_sysctl(const char *name, long *ret_value);

/* The effective capability `number` (capabilities(7)) of this process. */
bool has_capability(unsigned number);

/* Kernel, settings, events, filters, limits: what does not depend on a process. */
void doctor_machine(FILE *out);

/* A process: who it is, its executable, symbols and debug information. 0, or -errno as of
 * process_check() when it cannot be profiled whatever the rights. */
int doctor_process(pid_t pid, FILE *out);

/* The Debian package that installed `path`, malloc'ed; NULL when none did or there is no dpkg. */
char *package_of_file(const char *path);
