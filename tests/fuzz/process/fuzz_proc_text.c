/* Arbitrary /proc/PID/stat and status. */
#include "fuzz.h"

#include "privilege/status.h"
#include "process/proc_text.h"
#include "process/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_string(bytes, length);
    struct proc_stat stat;
    proc_stat_parse(text, &stat);

    static const char *const names[] = {"Uid:", "Groups:", "NStgid:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned long numbers[4];
        const char *line = status_field(text, names[i]);
        if (line)
            fuzz_check(status_numbers(line, numbers, 4) <= 4);
    }
    runtime_of_name(text);
    free(text);
    return 0;
}
