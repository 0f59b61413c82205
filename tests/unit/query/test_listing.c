/* The text listing, against what line_profiler's layout and arithmetic say. */
#include "fixture.h"
#include "query/listing.h"

static const char source[] = "#include <stdio.h>\n"
                             "\n"
                             "static int is_prime(int n)\n"
                             "{\n"
                             "    for (int i = 2; i < n; i++)\n"
                             "        if (n % i == 0)\n"
                             "            return 0;\n"
                             "    return 1;\n"
                             "}\n"
                             "\n"
                             "int main(void)\n"
                             "{\n"
                             "    int count = 0;\n"
                             "    count += is_prime(7);\n"
                             "}\n";

struct primes {
    uint32_t file, is_prime, main, at_loop, at_test, at_call;
};

static struct primes make_primes(struct fixture *f)
{
    struct primes p = {.file = make_file(f, "/src/primes.c")};
    p.is_prime = make_function(f, "is_prime", p.file, 3);
    p.main = make_function(f, "main", p.file, 11);
    p.at_loop = make_place(f, p.is_prime, p.file, 5);
    p.at_test = make_place(f, p.is_prime, p.file, 6);
    p.at_call = make_place(f, p.main, p.file, 14);
    return p;
}

static struct listing_options make_options(void)
{
    return (struct listing_options){.event = "cpu-clock",
                                    .frequency_hz = 997,
                                    .source = source,
                                    .source_bytes = sizeof source - 1};
}

static char *get_listing(struct fixture *f, uint32_t file, const struct listing_options *listing)
{
    struct text text = {0};
    assert_int_equal(listing_write(&f->view, &f->options, file, listing, &text), 0);
    return text.bytes;
}

static void the_layout_is_line_profilers(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    add_samples(f, 0, 250, p.at_call, p.at_loop);
    add_samples(f, 0, 750, p.at_call, p.at_test);
    add_samples(f, 0, 1, p.at_call);

    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_string_equal(
        text, "Timer unit: 1e-06 s\n"
              "Hits are samples, not executions, so Per Hit is blank. "
              "Time is total: the line and all that it calls.\n"
              "\n"
              "Total time: 1.00 s (1001 samples, 997 Hz, cpu-clock)\n"
              "File: /src/primes.c\n"
              "Function: main at line 11\n"
              "\n"
              "Line #      Hits         Time  Per Hit   % Time  Line Contents\n"
              "==============================================================\n"
              "    11                                           int main(void)\n"
              "    12                                           {\n"
              "    13                                               int count = 0;\n"
              "    14      1001      1001000             100.0      count += is_prime(7);\n"
              "    15                                           }\n"
              "\n"
              "Total time: 1.00 s (1000 samples, 997 Hz, cpu-clock)\n"
              "File: /src/primes.c\n"
              "Function: is_prime at line 3\n"
              "\n"
              "Line #      Hits         Time  Per Hit   % Time  Line Contents\n"
              "==============================================================\n"
              "     3                                           static int is_prime(int n)\n"
              "     4                                           {\n"
              "     5       250       250000              25.0      for (int i = 2; i < n; i++)\n"
              "     6       750       750000              75.0          if (n % i == 0)\n"
              "     7                                                       return 0;\n"
              "     8                                               return 1;\n"
              "     9                                           }\n");
}

static const char *listed_end(struct fixture *f, const char *text, uint32_t decl, uint32_t line)
{
    static char end[64];
    uint32_t file = make_file(f, "x.c"), function = make_function(f, "f", file, decl);
    add_samples(f, 0, 1, make_place(f, function, file, line));
    struct listing_options listing = make_options();
    listing.source = text;
    listing.source_bytes = strlen(text);
    _cleanup_free_ char *listed = get_listing(f, file, &listing);
    char *last = listed + strlen(listed) - 1;
    *last = '\0';
    last = strrchr(listed, '\n') + 1;
    snprintf(end, sizeof end, "%s", last + strspn(last, " "));
    end[strcspn(end, " ")] = '\0';
    return end;
}

/* By line number: what the last line listed is. */
static void a_block_ends_where_its_function_does(void **state)
{
    struct fixture *f = *state;
    const char c[] = "int f()\n{\n  a();\n#if X\nout:\n  b();\n}\nint g()\n{\n}\n";
    assert_string_equal(listed_end(f, c, 1, 3), "7");
    const char rust[] = "impl T {\n  fn f() {\n    a();\n\n    b();\n  }\n  fn g() {\n  }\n}\n";
    assert_string_equal(listed_end(f, rust, 2, 3), "6");
    const char braceless[] = "def f\n  a\n  b\ndef g\n  c\n}\n";
    assert_string_equal(listed_end(f, braceless, 1, 2), "2");
    const char one_line[] = "int f() { return 1; }\nint g() {\n}\n";
    assert_string_equal(listed_end(f, one_line, 1, 1), "1");
    const char brace[] = "int f()\n{\n  a();\n}\nint g()\n{\n}\n";
    assert_string_equal(listed_end(f, brace, 1, 4), "4");
}

static void self_time_leaves_callees_out(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    add_samples(f, 0, 40, p.at_call, p.at_loop);
    add_samples(f, 0, 10, p.at_call);

    struct listing_options listing = make_options();
    listing.self = true;
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    const char *loop = strstr(text, "Self time: 0.040 s (40 samples, 997 Hz, cpu-clock)\n");
    const char *main = strstr(text, "Self time: 0.010 s (10 samples, 997 Hz, cpu-clock)\n");
    assert_non_null(loop);
    assert_true(main > loop);
    assert_non_null(strstr(text, "Time is self: the line alone.\n"));
    assert_non_null(strstr(main, "\n    14        10        10000             100.0      count"));
}

static void missing_source_still_lists_lines_with_cost(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    add_samples(f, 0, 4, p.at_call, p.at_loop);
    add_samples(f, 0, 4, p.at_call, p.at_test);

    struct listing_options listing = make_options();
    listing.source = NULL;
    listing.missing = "No such file or directory";
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_non_null(strstr(text, "The source text cannot be shown (No such file or directory): "
                                 "only lines with cost are listed.\n"));
    assert_non_null(strstr(text, "=\n     5         4         4000              50.0\n"
                                 "     6         4         4000              50.0\n"));
    assert_null(strstr(text, "\n     4"));
}

static void a_source_too_short_loses_no_line(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    add_samples(f, 0, 4, p.at_call);
    struct listing_options listing = make_options();
    listing.source_bytes = (size_t)(strstr(source, "    int count") - source);
    listing.stale = true;
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_non_null(strstr(text, "    12                                           {\n"
                                 "    14         4         4000             100.0\n"
                                 "The source text has only 12 lines"));
    assert_non_null(strstr(text, "may not be the one that the program was built from"));
}

static void a_lambda_is_listed_within_its_function(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    uint32_t lambda = make_function(f, "main::{lambda()}", p.file, 12);
    add_samples(f, 0, 8, p.at_call, make_place(f, lambda, p.file, 13));
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_non_null(strstr(text, "Function: main at line 11\n"));
    assert_null(strstr(text, "Function: main::"));
    assert_non_null(strstr(text, "\n    13         8         8000             100.0      int"));
}

static void instances_of_a_template_share_a_block_that_counts_each_sample_once(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    uint32_t of_int = make_function(f, "is_prime<int>", p.file, 3);
    uint32_t of_long = make_function(f, "is_prime<long>", p.file, 3);
    uint32_t at_int = make_place(f, of_int, p.file, 5), at_long = make_place(f, of_long, p.file, 7);
    add_samples(f, 0, 6, at_int, at_long);
    add_samples(f, 0, 1, at_int);
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_non_null(strstr(text, "Total time: 0.007 s (7 samples,"));
    const char *first = strstr(text, "Function: ");
    assert_null(strstr(first + 1, "Function: "));
}

/* Code that is included into a function of another file: its declaration is elsewhere. */
static void a_block_starts_at_its_cost_when_declared_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    uint32_t elsewhere = make_function(f, "includer", make_file(f, "/src/other.c"), 2);
    add_samples(f, 0, 1, make_place(f, elsewhere, p.file, 7));
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, p.file, &listing);
    assert_non_null(strstr(text, "File: /src/primes.c\nFunction: includer at line 7\n"));
    assert_null(strstr(text, "\n     6"));
}

static void names_cannot_steer_the_terminal(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "/src/\x1b]0;x\x07.c");
    uint32_t function = make_function(f, "ev\x1b[31mil", file, 1);
    add_samples(f, 0, 1, make_place(f, function, file, 2));
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, file, &listing);
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "Function: ev␛[31mil at line 1\n"));
}

static void a_file_without_samples_says_so(void **state)
{
    struct fixture *f = *state;
    struct primes p = make_primes(f);
    uint32_t other = make_file(f, "/src/other.c");
    add_samples(f, 0, 1, p.at_call);
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, other, &listing);
    assert_non_null(strstr(text, "No sample has a line of this file.\n"));

    struct text none = {0};
    assert_int_equal(listing_write(&f->view, &f->options, 0, &listing, &none), -ENOENT);
    assert_int_equal(listing_write(&f->view, &f->options, 99, &listing, &none), -ENOENT);
    assert_int_equal(none.length, 0);
}

static void absurd_line_numbers_end(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), function = make_function(f, "main", file, 1);
    add_samples(f, 0, 1, make_place(f, function, file, UINT32_MAX));
    struct listing_options listing = make_options();
    _cleanup_free_ char *text = get_listing(f, file, &listing);
    assert_non_null(strstr(text, "\n4294967295         1         1000             100.0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(the_layout_is_line_profilers),
        query_test(a_block_ends_where_its_function_does),
        query_test(self_time_leaves_callees_out),
        query_test(missing_source_still_lists_lines_with_cost),
        query_test(a_source_too_short_loses_no_line),
        query_test(a_lambda_is_listed_within_its_function),
        query_test(instances_of_a_template_share_a_block_that_counts_each_sample_once),
        query_test(a_block_starts_at_its_cost_when_declared_elsewhere),
        query_test(names_cannot_steer_the_terminal),
        query_test(a_file_without_samples_says_so),
        query_test(absurd_line_numbers_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
