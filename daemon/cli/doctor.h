/* lprof doctor: what works on this machine, what does not, and the exact remedy. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

/*
 * Tries what lprofd needs by really doing it (each event is opened and closed again, each program
 * loaded, a child traced) and prints one aligned line per finding to `out`. With pid > 0 that
 * process is looked at too; it is attached to for a moment and not stopped.
 *
 * Returns the exit code: 0 when a backend works, 77 when only permission is missing, else 1.
 */
int doctor_run(pid_t pid, FILE *out);
