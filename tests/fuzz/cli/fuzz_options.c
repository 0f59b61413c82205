/* Arbitrary command lines: words split at NULs, options of every kind. */
#include "fuzz.h"

#include <stdbool.h>

#include "cli/options.h"

#define WORDS_MAX 16

struct settings {
    long long number;
    unsigned long long seconds_ns, bytes;
};

static int store_number(void *settings, const char *value, struct failure *ret_failure)
{
    return options_number(value, -5, 1000, &((struct settings *)settings)->number, ret_failure);
}

static int store_seconds(void *settings, const char *value, struct failure *ret_failure)
{
    return options_seconds(value, &((struct settings *)settings)->seconds_ns, ret_failure);
}

static int store_bytes(void *settings, const char *value, struct failure *ret_failure)
{
    return options_bytes(value, &((struct settings *)settings)->bytes, ret_failure);
}

static int store_flag(void *settings, const char *value, struct failure *ret_failure)
{
    (void)settings;
    (void)ret_failure;
    fuzz_check(!value);
    return 0;
}

static const struct option_spec options[] = {
    {"number", "N", "a number", store_number},
    {"seconds", "S", "a time", store_seconds},
    {"bytes", "B", "a size", store_bytes},
    {"flag", NULL, "a flag", store_flag},
    {0},
};

static const char *const nothing[] = {NULL};
static const struct program_spec program = {
    .name = "fuzz",
    .summary = "",
    .usages = nothing,
    .description = "",
    .options = options,
    .examples = nothing,
};

/* --help and its like would print. */
static bool prints(const char *word)
{
    return !strcmp(word, "-h") || !strcmp(word, "--help") || !strcmp(word, "--version") ||
           !strncmp(word, "--print-", 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = fuzz_string(bytes, length), name[] = "fuzz";
    char *words[WORDS_MAX + 1] = {name};
    int count = 1;
    for (char *word = text; word <= text + length && count < WORDS_MAX; word += strlen(word) + 1)
        if (!prints(word))
            words[count++] = word;

    struct settings settings = {0};
    struct arguments arguments;
    struct failure failure = {0};
    switch (options_parse(&program, count, words, &settings, &arguments, &failure)) {
    case OPTIONS_RUN:
        fuzz_check(settings.number >= -5 && settings.number <= 1000);
        fuzz_check(arguments.word_count <= count);
        break;
    case OPTIONS_WRONG:
        fuzz_check(failure.error && failure.text[0]);
        break;
    default:
        fuzz_check(!"printed");
    }
    free(text);
    return 0;
}
