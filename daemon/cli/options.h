/*
 * Command line options from one table per program: parsing, --help, man page and shell completion
 * all come from it. Parsing opens nothing and starts nothing.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/failure.h"

struct option_spec {
    const char *name;  /* long, without dashes; NULL ends the table */
    const char *value; /* what its value is called in --help; NULL when it takes none */
    const char *help;  /* one line */
    /* Stores the value (NULL when it takes none) in the program's settings. 0 or -EINVAL. */
    int (*store)(void *settings, const char *value, struct failure *ret_failure);
};

/* What --help and the man page say around the table. */
struct program_spec {
    const char *name, *summary;
    const char *const *usages; /* NULL-terminated, without the name */
    const char *description;   /* a paragraph */
    const struct option_spec *options;
    const char *const *examples; /* pairs of command and explanation, NULL-terminated */
};

/* What was parsed besides options. */
struct arguments {
    char *const *words; /* what is not an option, in order; points into argv */
    int word_count;
    char *const *command; /* what follows "--", NULL-terminated; NULL without "--" */
};

enum options_outcome { OPTIONS_RUN, OPTIONS_SHOWN, OPTIONS_WRONG };

/*
 * Parses argv[1...] (GNU style: --name VALUE, --name=VALUE, -h), reordering it. --help, --version,
 * --print-man and --print-completion are answered on stdout (OPTIONS_SHOWN). On OPTIONS_WRONG
 * *ret_failure holds the line for stderr.
 */
enum options_outcome options_parse(const struct program_spec *program, int argc, char **argv,
                                   void *settings, struct arguments *ret_arguments,
                                   struct failure *ret_failure);

/* A whole number from min to max (decimal). */
int options_number(const char *value, long long min, long long max, long long *ret_number,
                   struct failure *ret_failure);
/* Seconds with an optional fraction, as ns: "10", "0.5". More than 0. */
int options_seconds(const char *value, unsigned long long *ret_ns, struct failure *ret_failure);
/* Bytes with an optional suffix K, M or G (powers of 1024). */
int options_bytes(const char *value, unsigned long long *ret_bytes, struct failure *ret_failure);

/* --help, the man page (man(7)) and a completion script for bash. */
void options_print_help(const struct program_spec *program, FILE *out);
void options_print_man(const struct program_spec *program, FILE *out);
void options_print_completion(const struct program_spec *program, FILE *out);
