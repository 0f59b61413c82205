/* Command line options from one table per program. */
#include "cli/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const struct option_spec *find_option(const struct program_spec *program, const char *name,
                                             size_t length)
{
    for (const struct option_spec *option = program->options; option->name; option++)
        if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

/* --help and its like. True when `word` was one of them. */
static bool show(const struct program_spec *program, const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        options_print_help(program, stdout);
    else if (strcmp(word, "--version") == 0)
        printf("%s %s\n", program->name, LPROFD_VERSION);
    else if (strcmp(word, "--print-man") == 0)
        options_print_man(program, stdout);
    else if (strcmp(word, "--print-completion") == 0)
        options_print_completion(program, stdout);
    else
        return false;
    return true;
}

static int wrong(const struct program_spec *program, struct failure *failure, const char *what,
                 const char *word)
{
    return failure_set(failure, -EINVAL, "%s %s: see %s --help", what, word, program->name);
}

/* One "--name[=value]"; `next` is the word after it or NULL. Returns how many words it took. */
static int parse_option(const struct program_spec *program, const char *word, const char *next,
                        void *settings, struct failure *failure)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_spec *option = word[1] == '-' ? find_option(program, name, length) : NULL;
    if (!option)
        return wrong(program, failure, "unknown option", word);
    if (equals && !option->value)
        return wrong(program, failure, "no value belongs to", word);
    const char *value = equals ? equals + 1 : option->value ? next : NULL;
    if (option->value && !value)
        return wrong(program, failure, "a value is missing after", word);

    struct failure reason = {0};
    if (option->store(settings, value, &reason))
        return failure_set(failure, -EINVAL, "--%s %s: %s: see %s --help", option->name,
                           value ? value : "", reason.text, program->name);
    return option->value && !equals ? 2 : 1;
}

enum options_outcome options_parse(const struct program_spec *program, int argc, char **argv,
                                   void *settings, struct arguments *ret_arguments,
                                   struct failure *ret_failure)
{
    struct arguments arguments = {.words = argv};
    for (int i = 1; i < argc;) {
        char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            arguments.command = argv + i + 1;
            break;
        }
        if (show(program, word))
            return OPTIONS_SHOWN;
        if (word[0] != '-' || word[1] == '\0') {
            argv[arguments.word_count++] = word;
            i++;
            continue;
        }
        int taken =
            parse_option(program, word, i + 1 < argc ? argv[i + 1] : NULL, settings, ret_failure);
        if (taken < 0)
            return OPTIONS_WRONG;
        i += taken;
    }
    *ret_arguments = arguments;
    return OPTIONS_RUN;
}

int options_number(const char *value, long long min, long long max, long long *ret_number,
                   struct failure *ret_failure)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno || end == value || *end || number < min || number > max)
        return failure_set(ret_failure, -EINVAL, "must be a whole number from %lld to %lld", min,
                           max);
    *ret_number = number;
    return 0;
}

int options_seconds(const char *value, unsigned long long *ret_ns, struct failure *ret_failure)
{
    char *end = NULL;
    double seconds = strtod(value, &end);
    if (end == value || *end || !(seconds >= 0.001 && seconds <= 1e9))
        return failure_set(ret_failure, -EINVAL, "must be a number of seconds, at least 0.001");
    *ret_ns = (unsigned long long)(seconds * (double)NS_PER_SECOND);
    return 0;
}

int options_bytes(const char *value, unsigned long long *ret_bytes, struct failure *ret_failure)
{
    static const char suffixes[] = "KMG";
    char *end = NULL;
    errno = 0;
    unsigned long long bytes = strtoull(value, &end, 10);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;
    unsigned shift = suffix ? 10u * (unsigned)(suffix - suffixes + 1) : 0;
    bool negative = strchr(value, '-');
    if (errno || end == value || negative || (*end && (!suffix || end[1])) ||
        bytes > (~0ULL >> shift))
        return failure_set(ret_failure, -EINVAL, "must be a number of bytes, such as 256M");
    *ret_bytes = bytes << shift;
    return 0;
}
