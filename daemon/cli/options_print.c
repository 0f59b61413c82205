/* --help, man page and shell completion, all from the option table. */
#include <string.h>

#include "cli/options.h"

#define HELP_COLUMN 28
#define HELP_WIDTH 96

/* Every program has these; they are answered while parsing. */
static const struct option_spec common_options[] = {
    {"help", NULL, "show this help", NULL},
    {"version", NULL, "show the version", NULL},
    {0},
};

/* Prints `text` wrapped at words; every line but the first is indented. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, (size_t)word, out);
        column += word;
        text += word + strspn(text + word, " ");
    }
    fputc('\n', out);
}

static void print_help_row(const struct option_spec *option, FILE *out)
{
    int written = fprintf(out, "  --%s%s%s", option->name, option->value ? " " : "",
                          option->value ? option->value : "");
    if (written > HELP_COLUMN - 2)
        written = fprintf(out, "\n") - 1;
    fprintf(out, "%*s", HELP_COLUMN - written, "");
    print_wrapped(out, option->help, HELP_COLUMN);
}

void options_print_help(const struct program_spec *program, FILE *out)
{
    fprintf(out, "%s - %s\n\nUsage:\n", program->name, program->summary);
    for (const char *const *usage = program->usages; *usage; usage++)
        fprintf(out, "  %s%s%s\n", program->name, **usage ? " " : "", *usage);
    fprintf(out, "\n");
    print_wrapped(out, program->description, 0);
    fprintf(out, "\nOptions:\n");
    for (const struct option_spec *option = program->options; option->name; option++)
        print_help_row(option, out);
    for (const struct option_spec *option = common_options; option->name; option++)
        print_help_row(option, out);
    fprintf(out, "\nExamples:\n");
    for (const char *const *example = program->examples; *example; example += 2)
        fprintf(out, "  %s\n      %s\n", example[0], example[1]);
    fprintf(out, "\nExit status: 0 success, 1 failure, 2 wrong usage, 77 not permitted, "
                 "78 bad configuration.\n");
}

/* Text for roff: a hyphen is a hyphen, a backslash a backslash. */
static void print_roff(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void print_man_row(const struct option_spec *option, FILE *out)
{
    fputs(".TP\n.B \\-\\-", out);
    print_roff(out, option->name);
    if (option->value) {
        fputs(" \\fI", out);
        print_roff(out, option->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    print_roff(out, option->help);
    fputs(".\n", out);
}

void options_print_man(const struct program_spec *program, FILE *out)
{
    fprintf(out, ".TH %s 1 \"\" \"lprofd %s\" \"User Commands\"\n.SH NAME\n%s \\- ", program->name,
            LPROFD_VERSION, program->name);
    print_roff(out, program->summary);
    fputs("\n.SH SYNOPSIS\n", out);
    for (const char *const *usage = program->usages; *usage; usage++) {
        fprintf(out, ".B %s\n", program->name);
        print_roff(out, *usage);
        fputs("\n.br\n", out);
    }
    fputs(".SH DESCRIPTION\n", out);
    print_roff(out, program->description);
    fputs("\n.SH OPTIONS\n", out);
    for (const struct option_spec *option = program->options; option->name; option++)
        print_man_row(option, out);
    for (const struct option_spec *option = common_options; option->name; option++)
        print_man_row(option, out);
    fputs(".SH EXAMPLES\n", out);
    for (const char *const *example = program->examples; *example; example += 2) {
        fputs(".TP\n.B ", out);
        print_roff(out, example[0]);
        fputc('\n', out);
        print_roff(out, example[1]);
        fputs(".\n", out);
    }
    fputs(".SH EXIT STATUS\n0 success, 1 failure, 2 wrong usage, 77 not permitted, "
          "78 bad configuration.\n.SH SEE ALSO\n",
          out);
    fprintf(out, ".BR %s (1),\n.BR perf_event_open (2)\n",
            strcmp(program->name, "lprof") == 0 ? "lprofd" : "lprof");
}

void options_print_completion(const struct program_spec *program, FILE *out)
{
    fprintf(out, "# bash completion for %s\n_%s() {\n    COMPREPLY=($(compgen -W '", program->name,
            program->name);
    for (const struct option_spec *option = program->options; option->name; option++)
        fprintf(out, "--%s ", option->name);
    fprintf(out,
            "--help --version' -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
            "complete -o default -F _%s %s\n",
            program->name, program->name);
}
