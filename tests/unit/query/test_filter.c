/* Ranges, threads, focus, hidden kernel frames, and the time that samples stand for. */
#include "fixture.h"
#include "query/wilson.h"

static uint64_t hits_with(struct fixture *f, const char *focus)
{
    set_focus(f, focus);
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    set_focus(f, NULL);
    return lines->total.hits;
}

/* A range takes buckets by their start. */
static void a_bucket_counts_when_it_starts_in_the_range(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    for (uint32_t i = 0; i < 4; i++) {
        make_bucket(f, i * 100, (i + 1) * 100);
        add_samples(f, 0, 1u << i, place);
    }
    const struct {
        uint64_t from_ns, to_ns, hits;
    } cases[] = {
        {0, 0, 15},     {100, 0, 14}, {100, 300, 6}, {101, 300, 4},
        {100, 301, 14}, {400, 0, 0},  {300, 100, 0},
    };
    for (size_t i = 0; i < array_length(cases); i++) {
        f->options.from_ns = cases[i].from_ns;
        f->options.to_ns = cases[i].to_ns;
        _cleanup_lines_ struct query_lines *lines = get_lines(f);
        assert_int_equal(lines->total.hits, cases[i].hits);
        assert_int_equal(line_row(lines, file, 2).cost.self_hits, cases[i].hits);
    }
}

static void only_the_wanted_threads_count(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    for (uint32_t i = 0; i < 3; i++)
        add_samples(f, make_thread(f, (pid_t)(100 + i)), 1u << i, place);

    const pid_t tids[] = {102, 100, 7};
    f->options.tids = tids;
    f->options.tid_count = 3;
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, file, 2).cost, 5, 5);
    assert_near(line_row(lines, file, 2).cost.self_percent, 100, 1e-9);
}

static void a_focus_keeps_stacks_with_the_function(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "/src/lib/a.c");
    uint32_t at_main = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t at_work = make_place(f, make_function(f, "work", file, 5), file, 6);
    uint32_t at_leaf = make_place(f, make_function(f, "leaf", file, 9), file, 10);
    inline_at(f, at_leaf, make_function(f, "tiny(int)", file, 20), file, 21);
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, at_work);
    add_samples(f, 0, 4, at_main, at_work, at_leaf);
    add_samples(f, 0, 8, at_main, at_leaf);

    assert_int_equal(hits_with(f, "main"), 15);
    assert_int_equal(hits_with(f, "work"), 6);
    assert_int_equal(hits_with(f, "leaf"), 12);
    assert_int_equal(hits_with(f, "tiny(int)"), 12);
    assert_int_equal(hits_with(f, "tiny"), 0);
    assert_int_equal(hits_with(f, "wor"), 0);
}

static void a_focus_keeps_stacks_with_the_line(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "/src/lib/a.c"), relative = make_file(f, "a.c");
    uint32_t function = make_function(f, "main", file, 1);
    uint32_t other = make_file(f, "/src/lib/banana.c");
    add_samples(f, 0, 1, make_place(f, function, file, 6));
    add_samples(f, 0, 2, make_place(f, function, file, 61));
    add_samples(f, 0, 4, make_place(f, function, relative, 6));
    add_samples(f, 0, 8, make_place(f, function, other, 6));

    assert_int_equal(hits_with(f, "/src/lib/a.c:6"), 1);
    assert_int_equal(hits_with(f, "lib/a.c:6"), 1);
    assert_int_equal(hits_with(f, "a.c:6"), 5);
    assert_int_equal(hits_with(f, "/a.c:6"), 0);
    assert_int_equal(hits_with(f, "ib/a.c:6"), 0);
    assert_int_equal(hits_with(f, "a.c:7"), 0);
    assert_int_equal(hits_with(f, "a.c:99999999999999999999"), 0);
}

static void a_focus_path_is_the_start_of_the_stack(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t at_main = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t at_main2 = make_place(f, 1, file, 3);
    uint32_t at_work = make_place(f, make_function(f, "<[u8; 4] as T>::work", file, 5), file, 6);
    uint32_t at_leaf = make_place(f, make_function(f, "leaf", file, 9), file, 10);
    inline_at(f, at_work, make_function(f, "tiny", file, 20), file, 21);
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, at_work);
    add_samples(f, 0, 4, at_main2, at_work, at_leaf);
    add_samples(f, 0, 8, at_leaf, at_main, at_work);
    add_samples(f, 0, 16, at_main, at_leaf);

    assert_int_equal(hits_with(f, "main;<[u8; 4] as T>::work"), 6);
    assert_int_equal(hits_with(f, "main;<[u8; 4] as T>::work;tiny"), 6);
    assert_int_equal(hits_with(f, "main;<[u8; 4] as T>::work;tiny;leaf"), 4);
    assert_int_equal(hits_with(f, "main;<[u8; 4] as T>::work;leaf"), 0);
    assert_int_equal(hits_with(f, "<[u8; 4] as T>::work"), 14);
    assert_int_equal(hits_with(f, "leaf;main"), 8);
    assert_int_equal(hits_with(f, "main;lea"), 0);
    assert_int_equal(hits_with(f, "main;leaf2"), 0);

    f->options.inlines = QUERY_INLINES_CALLED;
    assert_int_equal(hits_with(f, "main;<[u8; 4] as T>::work;leaf"), 4);
}

static void several_frames_have_to_be_there_or_not(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "/src/a.c");
    uint32_t at_main = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t at_work = make_place(f, make_function(f, "work", file, 5), file, 6);
    uint32_t at_leaf = make_place(f, make_function(f, "leaf", file, 9), file, 10);
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, at_work);
    add_samples(f, 0, 4, at_main, at_work, at_leaf);
    add_samples(f, 0, 8, at_main, at_leaf);
    static const struct {
        const char *focus[2], *hide[2];
        uint64_t hits;
    } cases[] = {
        {{NULL}, {NULL}, 15},
        {{"work", "leaf"}, {NULL}, 4},
        {{"work", "leaf"}, {"main"}, 0},
        {{NULL}, {"work"}, 9},
        {{NULL}, {"work", "leaf"}, 1},
        {{"leaf"}, {"a.c:6"}, 8},
        {{"main"}, {";main;work"}, 9},
        {{";main", ";main;leaf"}, {NULL}, 8},
        {{";leaf"}, {NULL}, 0},
    };
    for (size_t i = 0; i < array_length(cases); i++) {
        f->options.focus = cases[i].focus;
        f->options.hide = cases[i].hide;
        f->options.focus_count = !!cases[i].focus[0] + !!cases[i].focus[1];
        f->options.hide_count = !!cases[i].hide[0] + !!cases[i].hide[1];
        _cleanup_lines_ struct query_lines *lines = get_lines(f);
        assert_int_equal(lines->total.hits, cases[i].hits);
    }
}

static void a_path_with_a_semicolon_at_its_end_is_the_end_of_the_stack(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t at_main = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t at_work = make_place(f, make_function(f, "work", file, 5), file, 6);
    uint32_t at_leaf = make_place(f, make_function(f, "a;b", file, 9), file, 10);
    uint32_t in_read = make_kernel(f, make_function(f, "sys_read", 0, 0));
    inline_at(f, at_work, make_function(f, "tiny", file, 20), file, 21);
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, at_work);
    add_samples(f, 0, 4, at_main, at_work, at_leaf);
    add_samples(f, 0, 8, at_main, at_leaf);
    add_samples(f, 0, 16, at_main, at_work, at_leaf, at_main);
    add_samples(f, 0, 32, at_main, at_leaf, in_read);

    assert_int_equal(hits_with(f, "main;"), 17);
    assert_int_equal(hits_with(f, "tiny;"), 2);
    assert_int_equal(hits_with(f, "work;tiny;"), 2);
    assert_int_equal(hits_with(f, "work;"), 0);
    assert_int_equal(hits_with(f, "a\\;b;"), 12);
    assert_int_equal(hits_with(f, "a;b;"), 0);
    assert_int_equal(hits_with(f, "tiny;a\\;b;"), 4);
    assert_int_equal(hits_with(f, "main;work;tiny;a\\;b;"), 4);
    assert_int_equal(hits_with(f, "main;main;work;tiny;a\\;b;"), 0);
    assert_int_equal(hits_with(f, "main;a\\;b;"), 8);
    assert_int_equal(hits_with(f, "a\\;b;sys_read;"), 32);

    f->options.hide_kernel = true;
    assert_int_equal(hits_with(f, "main;a\\;b;"), 40);
    f->options.inlines = QUERY_INLINES_CALLED;
    assert_int_equal(hits_with(f, "work;"), 2);
    assert_int_equal(hits_with(f, "work;a\\;b;"), 4);
    f->options.hide = (const char *[]){"a\\;b;"};
    f->options.hide_count = 1;
    assert_int_equal(hits_with(f, "main"), 19);
}

/* Every path of a's and b's against every stack of them: what repeats itself is where one errs. */
static void the_end_of_a_stack_is_found_however_it_recurs(void **state)
{
    enum { LENGTH = 5 };
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t places[] = {make_place(f, make_function(f, "a", file, 1), file, 2),
                         make_place(f, make_function(f, "b", file, 3), file, 4)};
    for (unsigned stack = 0; stack < 1u << LENGTH; stack++)
        add_samples(f, 0, 1, places[stack >> 4 & 1], places[stack >> 3 & 1], places[stack >> 2 & 1],
                    places[stack >> 1 & 1], places[stack & 1]);
    for (unsigned length = 1; length <= LENGTH + 1; length++) {
        for (unsigned path = 0; path < 1u << length; path++) {
            char text[2 * LENGTH + 3] = "";
            for (unsigned i = 0; i < length; i++)
                strcat(text, path >> (length - 1 - i) & 1 ? "b;" : "a;");
            assert_int_equal(hits_with(f, text), length > LENGTH ? 0 : 1u << (LENGTH - length));
        }
    }
}

static void a_path_tells_names_with_semicolons_apart(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t both = make_place(f, make_function(f, "a;b", file, 1), file, 2);
    uint32_t a = make_place(f, make_function(f, "a", file, 3), file, 4);
    uint32_t b = make_place(f, make_function(f, "b", file, 5), file, 6);
    add_samples(f, 0, 1, both);
    add_samples(f, 0, 2, a, b);
    add_samples(f, 0, 4, a, both);
    assert_int_equal(hits_with(f, ";a\\;b"), 1);
    assert_int_equal(hits_with(f, ";a;b"), 2);
    assert_int_equal(hits_with(f, ";a;a\\;b"), 4);
    assert_int_equal(hits_with(f, "a;b"), 7); /* also the name, wherever it is */
}

static void a_focus_that_says_nothing_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *bad[] = {"", ";", ";;", ";;main", ";main;", "main;;", "a;;b", "a;;b;", "a.c:0"};
    for (size_t i = 0; i < array_length(bad); i++) {
        set_focus(f, bad[i]);
        struct query_lines *lines = NULL;
        assert_int_equal(query_lines(&f->view, &f->options, &lines), -EINVAL);
        assert_null(lines);
    }
}

static void hidden_kernel_frames_count_at_their_caller(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    uint32_t at_main = make_place(f, main, file, 2);
    uint32_t in_read = make_kernel(f, make_function(f, "sys_read", 0, 0));
    uint32_t in_copy = make_kernel(f, make_function(f, "copy_to_user", 0, 0));
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, in_read);
    add_samples(f, 0, 4, at_main, in_read, in_copy);
    add_samples(f, 0, 8, in_copy);

    _cleanup_lines_ struct query_lines *shown = get_lines(f);
    assert_hits(line_row(shown, file, 2).cost, 1, 7);
    assert_hits(shown->unknown.cost, 14, 14);

    f->options.hide_kernel = true;
    _cleanup_lines_ struct query_lines *hidden = get_lines(f);
    assert_hits(line_row(hidden, file, 2).cost, 7, 7);
    assert_hits(hidden->unknown.cost, 8, 8);
    assert_int_equal(hidden->total.hits, 15);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_hits(function_cost(functions, main), 7, 7);
    assert_int_equal(functions->count, 2); /* main, and none for samples without a user frame */
}

static void set_times(struct fixture *f, uint32_t thread, uint64_t accounted_ns)
{
    f->threads[thread].accounted_ns = accounted_ns;
}

/* Thread 0 has its own ratio; threads 1 and 2, with few samples, share what remains. */
static void times_are_scaled_to_what_the_kernel_accounts(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    for (uint32_t i = 0; i < 3; i++)
        make_thread(f, (pid_t)i + 1);
    add_samples(f, 0, 100, make_place(f, main, file, 2));
    add_samples(f, 1, 30, make_place(f, main, file, 3));
    add_samples(f, 2, 10, make_place(f, main, file, 4));
    set_times(f, 0, 110 * SAMPLE_NS);
    set_times(f, 1, 25 * SAMPLE_NS); /* too few samples to trust that */
    f->view.accounted_ns = (110 + 36) * SAMPLE_NS;

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_near(line_row(lines, file, 2).cost.self_time_ns, 110 * SAMPLE_NS, 2);
    assert_near(line_row(lines, file, 3).cost.self_time_ns, 27 * SAMPLE_NS, 2);
    assert_near(line_row(lines, file, 4).cost.self_time_ns, 9 * SAMPLE_NS, 2);
    assert_near(lines->total.time_ns, 146 * SAMPLE_NS, 3);
    assert_near(line_row(lines, file, 2).cost.self_percent, 11000 / 146.0, 1e-6);
}

/* Whether it is 1 of 10 samples or 100 of 1000 that stand for a tenth of the time. */
static void few_samples_that_stand_for_much_time_tell_no_more_than_few(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    make_thread(f, 1);
    make_thread(f, 2);
    add_samples(f, 0, 900, make_place(f, main, file, 2));
    add_samples(f, 1, 10, make_place(f, main, file, 3));
    set_times(f, 0, 900 * SAMPLE_NS);
    set_times(f, 1, 100 * SAMPLE_NS);
    f->view.accounted_ns = 1000 * SAMPLE_NS;

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    struct query_cost few = line_row(lines, file, 3).cost, many = line_row(lines, file, 2).cost;
    assert_near(few.self_time_ns, 100 * SAMPLE_NS, 2);
    double low, high;
    wilson_interval(0.1, 100, &low, &high);
    assert_near(few.percent_low, low * 100, 1e-6);
    assert_near(few.percent_high, high * 100, 1e-6);
    wilson_interval(0.9, 910, &low, &high);
    assert_near(many.percent_low, low * 100, 1e-6);
    assert_near(many.percent_high, high * 100, 1e-6);
}

static void self_times_add_up_to_the_total(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    uint32_t pending = make_status(f, SYMBOL_PENDING, 0);
    for (uint32_t i = 0; i < 20; i++) {
        add_samples(f, make_thread(f, (pid_t)i + 1), 60 + i, make_place(f, main, file, i % 7 + 1));
        add_samples(f, i, i, pending);
        set_times(f, i, f->threads[i].sampled_ns * 997 / (990 + i));
    }
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    uint64_t hits = lines->unknown.cost.self_hits, time_ns = lines->unknown.cost.self_time_ns;
    for (size_t i = 0; i < lines->count; i++) {
        hits += lines->rows[i].cost.self_hits;
        time_ns += lines->rows[i].cost.self_time_ns;
    }
    assert_int_equal(hits, f->view.hits);
    assert_int_equal(hits, lines->total.hits);
    assert_int_equal(time_ns, lines->total.time_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(a_bucket_counts_when_it_starts_in_the_range),
        query_test(only_the_wanted_threads_count),
        query_test(a_focus_keeps_stacks_with_the_function),
        query_test(a_focus_keeps_stacks_with_the_line),
        query_test(a_focus_path_is_the_start_of_the_stack),
        query_test(several_frames_have_to_be_there_or_not),
        query_test(a_path_with_a_semicolon_at_its_end_is_the_end_of_the_stack),
        query_test(the_end_of_a_stack_is_found_however_it_recurs),
        query_test(a_path_tells_names_with_semicolons_apart),
        query_test(a_focus_that_says_nothing_is_refused),
        query_test(hidden_kernel_frames_count_at_their_caller),
        query_test(times_are_scaled_to_what_the_kernel_accounts),
        query_test(few_samples_that_stand_for_much_time_tell_no_more_than_few),
        query_test(self_times_add_up_to_the_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
