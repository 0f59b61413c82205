/* Comparisons: which rows are the same, that sums stay, and in what order they come. */
#include "fixture.h"
#include "lprofd/diff.h"

static void diff_cleanup(struct diff **diff)
{
    query_diff_free(*diff);
}

#define _cleanup_diff_ _cleanup_(diff_cleanup)

/* Two sessions; or one, twice. */
struct pair {
    struct fixture *sides[DIFF_SIDES];
    struct diff_options options;
};

static struct pair *pair_new(bool same_session)
{
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->sides[DIFF_A] = fixture_new();
    pair->sides[DIFF_B] = same_session ? pair->sides[DIFF_A] : fixture_new();
    for (int side = 0; side < DIFF_SIDES; side++)
        pair->options.views[side] = &pair->sides[side]->view;
    return pair;
}

static int set_up_two(void **state)
{
    *state = pair_new(false);
    return 0;
}

static int set_up_one(void **state)
{
    *state = pair_new(true);
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    if (pair->sides[DIFF_B] != pair->sides[DIFF_A])
        fixture_free(pair->sides[DIFF_B]);
    fixture_free(pair->sides[DIFF_A]);
    free(pair);
    return 0;
}

static uint64_t self_hits(const struct diff *diff, int side)
{
    uint64_t hits = diff->unknown[side].cost.self_hits;
    for (size_t i = 0; i < diff->count; i++)
        hits += diff->rows[i].sides[side].cost.self_hits;
    return hits;
}

/* Every comparison adds up, whatever it is of. */
static struct diff *compare(const struct pair *pair)
{
    struct diff *diff = NULL;
    assert_int_equal(query_diff(&pair->options, &diff), 0);
    for (int side = 0; side < DIFF_SIDES && !pair->options.file; side++)
        assert_int_equal(self_hits(diff, side), diff->total[side].hits);
    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_row *row = &diff->rows[i];
        bool self = pair->options.queries[0].sort == QUERY_SORT_SELF;
        const struct query_cost *a = &row->sides[DIFF_A].cost, *b = &row->sides[DIFF_B].cost;
        double delta =
            self ? b->self_percent - a->self_percent : b->total_percent - a->total_percent;
        assert_near(row->evidence.delta * 100, delta, 1e-9);
        assert_true(row->evidence.low <= row->evidence.delta);
        assert_true(row->evidence.delta <= row->evidence.high);
        assert_true(row->evidence.p_value <= row->evidence.q_value);
    }
    return diff;
}

static const struct diff_row *find_line(const struct diff *diff, int side, uint32_t file,
                                        uint32_t line)
{
    for (size_t i = 0; i < diff->count; i++)
        if (diff->rows[i].sides[side].file == file && diff->rows[i].sides[side].line == line)
            return &diff->rows[i];
    return NULL;
}

static const struct diff_row *find_function(const struct diff *diff, int side, uint32_t function)
{
    for (size_t i = 0; i < diff->count; i++)
        if (diff->rows[i].sides[side].function == function)
            return &diff->rows[i];
    return NULL;
}

/* work (a.c:`line` on) with `hits` samples on its hot line; ids differ by what `first` adds. */
struct program {
    uint32_t file, other, work, cold, at_hot, at_cold;
};

static struct program make_program(struct fixture *f, const char *path, uint32_t line, bool first)
{
    struct program p = {0};
    if (first)
        make_function(f, "first", make_file(f, "/src/first.c"), 1);
    p.file = make_file(f, path);
    p.other = make_file(f, "/src/other.c");
    p.work = make_function(f, "work", p.file, line);
    p.cold = make_function(f, "cold", p.other, 5);
    p.at_hot = make_place(f, p.work, p.file, line + 3);
    p.at_cold = make_place(f, p.cold, p.other, 7);
    return p;
}

static void two_ranges_of_one_session_stand_side_by_side(void **state)
{
    struct pair *pair = *state;
    struct fixture *f = pair->sides[DIFF_A];
    struct program p = make_program(f, "/src/a.c", 10, false);
    make_thread(f, 1);
    make_bucket(f, 0, 100);
    add_samples(f, 0, 80, p.at_cold, p.at_hot);
    add_samples(f, 0, 20, p.at_cold);
    make_bucket(f, 100, 200);
    add_samples(f, 0, 50, p.at_hot);
    add_samples(f, 0, 150, p.at_cold);
    pair->options.queries[DIFF_A].to_ns = 100;
    pair->options.queries[DIFF_B].from_ns = 100;

    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(diff->count, 2);
    const struct diff_row *hot = find_line(diff, DIFF_B, p.file, 13);
    assert_non_null(hot);
    assert_int_equal(hot->presence, DIFF_IN_BOTH);
    assert_int_equal(hot->alignment, DIFF_ALIGNED_SAME);
    assert_hits(hot->sides[DIFF_A].cost, 80, 80);
    assert_hits(hot->sides[DIFF_B].cost, 50, 50);
    assert_near(hot->evidence.delta, 0.25 - 0.80, 1e-9);
    assert_true(hot->evidence.significant);
    assert_hits(find_line(diff, DIFF_B, p.other, 7)->sides[DIFF_A].cost, 20, 100);
    assert_int_equal(diff->significant_count, 2);
}

/* A line that one range does not have exists there all the same. */
static void a_line_without_samples_is_still_there(void **state)
{
    struct pair *pair = *state;
    struct fixture *f = pair->sides[DIFF_A];
    struct program p = make_program(f, "/src/a.c", 10, false);
    make_thread(f, 1);
    make_bucket(f, 0, 100);
    add_samples(f, 0, 4, p.at_hot);
    make_bucket(f, 100, 200);
    add_samples(f, 0, 6, p.at_cold);
    pair->options.queries[DIFF_A].to_ns = 100;
    pair->options.queries[DIFF_B].from_ns = 100;

    _cleanup_diff_ struct diff *diff = compare(pair);
    const struct diff_row *hot = find_line(diff, DIFF_A, p.file, 13);
    assert_int_equal(hot->presence, DIFF_IN_BOTH);
    assert_int_equal(hot->sides[DIFF_B].line, 13);
    assert_hits(hot->sides[DIFF_B].cost, 0, 0);
    assert_true(hot->sides[DIFF_B].cost.percent_high > 0);
    assert_near(hot->evidence.delta, -1, 1e-12);
}

static void functions_are_found_again_under_other_ids(void **state)
{
    struct pair *pair = *state;
    struct program a = make_program(pair->sides[DIFF_A], "/src/a.c", 10, false);
    struct program b = make_program(pair->sides[DIFF_B], "/src/a.c", 90, true);
    assert_int_not_equal(a.work, b.work);
    uint32_t gone = make_function(pair->sides[DIFF_A], "gone", a.file, 70);
    uint32_t at_gone = make_place(pair->sides[DIFF_A], gone, a.file, 71);
    add_samples(pair->sides[DIFF_A], 0, 30, a.at_hot);
    add_samples(pair->sides[DIFF_A], 0, 5, at_gone);
    add_samples(pair->sides[DIFF_B], 0, 40, b.at_hot);
    add_samples(pair->sides[DIFF_B], 0, 7, b.at_cold);
    pair->options.kind = DIFF_FUNCTIONS;

    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(diff->count, 3);
    const struct diff_row *work = find_function(diff, DIFF_B, b.work);
    assert_int_equal(work->sides[DIFF_A].function, a.work);
    assert_int_equal(work->sides[DIFF_A].line, 10);
    assert_int_equal(work->sides[DIFF_B].line, 90);
    assert_hits(work->sides[DIFF_A].cost, 30, 30);
    assert_hits(work->sides[DIFF_B].cost, 40, 40);
    assert_int_equal(find_function(diff, DIFF_A, gone)->presence, DIFF_ONLY_IN_A);
    /* Without samples in a, but its name is known there. */
    const struct diff_row *cold = find_function(diff, DIFF_B, b.cold);
    assert_int_equal(cold->presence, DIFF_IN_BOTH);
    assert_int_equal(cold->sides[DIFF_A].function, a.cold);
}

static void functions_of_one_name_are_paired_by_file_then_by_line(void **state)
{
    struct pair *pair = *state;
    uint32_t ids[DIFF_SIDES][4];
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        uint32_t x = make_file(f, "/src/x.c"), y = make_file(f, "/src/y.c");
        /* The other way round on the second side. */
        ids[side][0] = make_function(f, "init", side ? y : x, 1);
        ids[side][1] = make_function(f, "init", side ? x : y, 2);
        ids[side][2] = make_function(f, "twice", x, side ? 60 : 30);
        ids[side][3] = make_function(f, "twice", x, side ? 50 : 40);
        for (uint32_t i = 0; i < 4; i++)
            add_samples(f, 0, 10 + i, make_place(f, ids[side][i], x, 100 + i));
    }
    pair->options.kind = DIFF_FUNCTIONS;
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(diff->count, 4);
    for (int i = 0; i < 4; i += 2) {
        assert_int_equal(find_function(diff, DIFF_A, ids[0][i])->sides[DIFF_B].function,
                         ids[1][i + 1]);
        assert_int_equal(find_function(diff, DIFF_A, ids[0][i + 1])->sides[DIFF_B].function,
                         ids[1][i]);
    }
}

static void a_function_that_moved_to_another_file_is_found_if_its_name_is_unique(void **state)
{
    struct pair *pair = *state;
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        uint32_t file = make_file(f, side ? "/src/new.c" : "/src/old.c");
        uint32_t moved = make_function(f, "moved", file, 3);
        uint32_t nameless = make_function(f, "[program+0x1230]", 0, 0);
        add_samples(f, 0, 4, make_place(f, moved, file, 5));
        add_samples(f, 0, 6, make_status(f, SYMBOL_NO_DEBUG_INFO, nameless));
    }
    pair->options.kind = DIFF_FUNCTIONS;
    _cleanup_diff_ struct diff *diff = compare(pair);
    /* An address is no name: nobody knows whether these builds are the same. */
    assert_int_equal(diff->count, 3);
    const struct diff_row *moved = find_function(diff, DIFF_A, 1);
    assert_int_equal(moved->presence, DIFF_IN_BOTH);
    assert_int_equal(moved->sides[DIFF_B].function, 1);
    assert_int_equal(find_function(diff, DIFF_A, 2)->presence, DIFF_ONLY_IN_A);
    assert_int_equal(find_function(diff, DIFF_B, 2)->presence, DIFF_ONLY_IN_B);
}

/* --- sources ---------------------------------------------------------------------------------- */

/* Texts by side; the same for all its files. */
struct texts {
    const char *texts[DIFF_SIDES];
    int reads;
};

static int read_text(void *user, enum diff_side side, uint32_t file, struct text *ret_text)
{
    struct texts *texts = user;
    assert_true(file > 0);
    texts->reads++;
    if (!texts->texts[side])
        return -ESTALE;
    text_add_string(ret_text, texts->texts[side]);
    return 0;
}

static const char text_a[] = "void work(void)\n"
                             "{\n"
                             "    old();\n"
                             "    hot();\n"
                             "    cold();\n"
                             "}\n";
static const char text_b[] = "#include <new.h>\n"
                             "\n"
                             "void work(void)\n"
                             "{\n"
                             "    prepare();\n"
                             "    hot();\n"
                             "    added();\n"
                             "    cold();\n"
                             "}\n";

/* The two texts above as two runs of a rebuilt program; hot is line 4 and 6. */
static void make_rebuilt(struct pair *pair, uint32_t ret_files[DIFF_SIDES], const char *path_b)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        if (side)
            make_file(f, "/src/another.c");
        ret_files[side] = make_file(f, side ? path_b : "/src/a.c");
        uint32_t work = make_function(f, "work", ret_files[side], side ? 3 : 1);
        uint32_t hot = side ? 6 : 4, only = side ? 7 : 3;
        add_samples(f, 0, side ? 40 : 60, make_place(f, work, ret_files[side], hot));
        add_samples(f, 0, 8, make_place(f, work, ret_files[side], only));
        if (side)
            add_samples(f, 0, 2, make_place(f, work, ret_files[side], 8));
    }
}

static void an_edit_above_does_not_shift_the_comparison(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{text_a, text_b}, 0};
    make_rebuilt(pair, files, "/src/a.c");
    pair->options.sources = &(struct diff_sources){read_text, &texts};

    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(texts.reads, 2);
    assert_int_equal(diff->count, 4);
    const struct diff_row *hot = find_line(diff, DIFF_A, files[DIFF_A], 4);
    assert_int_equal(hot->alignment, DIFF_ALIGNED_TEXT);
    assert_int_equal(hot->sides[DIFF_B].line, 6);
    assert_hits(hot->sides[DIFF_A].cost, 60, 60);
    assert_hits(hot->sides[DIFF_B].cost, 40, 40);
    const struct diff_row *removed = find_line(diff, DIFF_A, files[DIFF_A], 3);
    assert_int_equal(removed->presence, DIFF_ONLY_IN_A);
    assert_int_equal(removed->sides[DIFF_B].file, files[DIFF_B]);
    assert_int_equal(removed->sides[DIFF_B].line, 0);
    assert_int_equal(find_line(diff, DIFF_B, files[DIFF_B], 7)->presence, DIFF_ONLY_IN_B);
    const struct diff_row *cold = find_line(diff, DIFF_B, files[DIFF_B], 8);
    assert_int_equal(cold->presence, DIFF_IN_BOTH);
    assert_int_equal(cold->sides[DIFF_A].line, 5);
}

static void a_file_in_another_folder_is_found_by_the_end_of_its_path(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{text_a, text_b}, 0};
    make_rebuilt(pair, files, "/elsewhere/version-2/a.c");
    pair->options.sources = &(struct diff_sources){read_text, &texts};
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(find_line(diff, DIFF_A, files[DIFF_A], 4)->sides[DIFF_B].line, 6);
}

static void without_a_text_the_function_is_what_lines_are_measured_from(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{NULL, text_b}, 0};
    make_rebuilt(pair, files, "/src/a.c");
    pair->options.sources = &(struct diff_sources){read_text, &texts};
    _cleanup_diff_ struct diff *diff = compare(pair);
    const struct diff_row *hot = find_line(diff, DIFF_A, files[DIFF_A], 4);
    assert_int_equal(hot->alignment, DIFF_ALIGNED_FUNCTION);
    assert_int_equal(hot->sides[DIFF_B].line, 6);
    assert_hits(hot->sides[DIFF_B].cost, 40, 40);
}

static void without_anything_a_number_is_all_there_is(void **state)
{
    struct pair *pair = *state;
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        uint32_t file = make_file(f, "/src/a.c");
        add_samples(f, 0, 9, make_place(f, make_function(f, side ? "b" : "a", file, 1), file, 4));
    }
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(diff->count, 1);
    assert_int_equal(diff->rows[0].alignment, DIFF_ALIGNED_NUMBER);
}

static void equal_texts_keep_their_numbers(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{text_b, text_b}, 0};
    make_rebuilt(pair, files, "/src/a.c");
    pair->options.sources = &(struct diff_sources){read_text, &texts};
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(find_line(diff, DIFF_A, files[DIFF_A], 4)->alignment, DIFF_ALIGNED_SAME);
    assert_int_equal(find_line(diff, DIFF_A, files[DIFF_A], 4)->sides[DIFF_B].line, 4);
}

/* The sum that debug information gives says the same, without reading anything. */
static void equal_sums_are_equal_texts(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{text_a, text_b}, 0};
    make_rebuilt(pair, files, "/src/a.c");
    for (int side = 0; side < DIFF_SIDES; side++)
        pair->sides[side]->symbols.files[files[side]].has_md5 = true;
    pair->options.sources = &(struct diff_sources){read_text, &texts};
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(texts.reads, 0);
    assert_int_equal(find_line(diff, DIFF_A, files[DIFF_A], 4)->alignment, DIFF_ALIGNED_SAME);
}

static void one_file_comes_in_the_order_of_its_lines(void **state)
{
    struct pair *pair = *state;
    uint32_t files[DIFF_SIDES];
    struct texts texts = {{text_a, text_b}, 0};
    make_rebuilt(pair, files, "/src/a.c");
    struct fixture *b = pair->sides[DIFF_B];
    uint32_t another = make_file(b, "/src/z.c");
    add_samples(b, 0, 3, make_place(b, make_function(b, "z", another, 1), another, 2));
    pair->options.sources = &(struct diff_sources){read_text, &texts};
    pair->options.file = files[DIFF_B];

    _cleanup_diff_ struct diff *diff = compare(pair);
    static const uint32_t lines[][DIFF_SIDES] = {{3, 0}, {4, 6}, {0, 7}, {5, 8}};
    assert_int_equal(diff->count, array_length(lines));
    for (size_t i = 0; i < array_length(lines); i++)
        for (int side = 0; side < DIFF_SIDES; side++)
            assert_int_equal(diff->rows[i].sides[side].line, lines[i][side]);
    assert_int_equal(diff->files[DIFF_A], files[DIFF_A]);
    assert_int_equal(diff->alignment, DIFF_ALIGNED_TEXT);
    /* void work(void) {; hot(); cold(); } */
    assert_int_equal(diff->run_count, 3);
    assert_int_equal(diff->runs[0].a, 1);
    assert_int_equal(diff->runs[0].b, 3);
    assert_int_equal(diff->runs[0].count, 2);
    assert_int_equal(diff->runs[2].count, 2);

    pair->options.file = 30;
    struct diff *none = NULL;
    assert_int_equal(query_diff(&pair->options, &none), -ENOENT);
    assert_null(none);
}

static void unknown_samples_are_told_apart_on_each_side(void **state)
{
    struct pair *pair = *state;
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        struct program p = make_program(f, "/src/a.c", 10, false);
        uint32_t bare = make_function(f, "bare", 0, 0);
        add_samples(f, 0, 10, p.at_hot);
        add_samples(f, 0, 3 + (uint32_t)side, make_status(f, SYMBOL_NO_DEBUG_INFO, bare));
    }
    _cleanup_diff_ struct diff *diff = compare(pair);
    assert_int_equal(diff->unknown[DIFF_A].hits_by_status[SYMBOL_NO_DEBUG_INFO], 3);
    assert_int_equal(diff->unknown[DIFF_B].hits_by_status[SYMBOL_NO_DEBUG_INFO], 4);
}

static void an_empty_side_tests_nothing(void **state)
{
    struct pair *pair = *state;
    struct fixture *f = pair->sides[DIFF_B];
    struct program p = make_program(f, "/src/a.c", 10, false);
    add_samples(f, 0, 10, p.at_hot);
    for (int kind = DIFF_LINES; kind <= DIFF_FUNCTIONS; kind++) {
        pair->options.kind = (enum diff_kind)kind;
        _cleanup_diff_ struct diff *diff = compare(pair);
        assert_int_equal(diff->count, 1);
        assert_int_equal(diff->rows[0].evidence.test, DIFF_TEST_NONE);
        assert_false(diff->rows[0].evidence.significant);
    }
}

static void rows_come_in_the_order_that_is_asked_for(void **state)
{
    struct pair *pair = *state;
    static const uint32_t hits[DIFF_SIDES][3] = {{60, 30, 10}, {20, 45, 35}};
    static const uint32_t orders[][3] = {
        [DIFF_SORT_DELTA] = {1, 3, 2}, /* -40, +25, +15 */
        [DIFF_SORT_A] = {1, 2, 3},
        [DIFF_SORT_B] = {2, 3, 1},
        [DIFF_SORT_P] = {1, 3, 2},
    };
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        uint32_t file = make_file(f, "/src/a.c");
        uint32_t work = make_function(f, "work", file, 1);
        for (uint32_t line = 1; line <= 3; line++)
            add_samples(f, 0, hits[side][line - 1], make_place(f, work, file, line));
    }
    for (size_t sort = 0; sort < array_length(orders); sort++) {
        pair->options.sort = (enum diff_sort)sort;
        _cleanup_diff_ struct diff *diff = compare(pair);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(diff->rows[i].sides[DIFF_B].line, orders[sort][i]);
    }
}

static void the_share_with_callees_can_be_compared(void **state)
{
    struct pair *pair = *state;
    for (int side = 0; side < DIFF_SIDES; side++) {
        struct fixture *f = pair->sides[side];
        struct program p = make_program(f, "/src/a.c", 10, false);
        add_samples(f, 0, side ? 70 : 10, p.at_hot, p.at_cold);
        add_samples(f, 0, side ? 30 : 90, p.at_cold);
        pair->options.queries[side].sort = QUERY_SORT_TOTAL;
    }
    _cleanup_diff_ struct diff *diff = compare(pair);
    const struct diff_row *hot = find_line(diff, DIFF_A, 1, 13);
    assert_hits(hot->sides[DIFF_A].cost, 0, 10);
    assert_near(hot->evidence.delta, 0.6, 1e-9);
}

#define two_sessions(name) cmocka_unit_test_setup_teardown(name, set_up_two, tear_down)
#define one_session(name) cmocka_unit_test_setup_teardown(name, set_up_one, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        one_session(two_ranges_of_one_session_stand_side_by_side),
        one_session(a_line_without_samples_is_still_there),
        two_sessions(functions_are_found_again_under_other_ids),
        two_sessions(functions_of_one_name_are_paired_by_file_then_by_line),
        two_sessions(a_function_that_moved_to_another_file_is_found_if_its_name_is_unique),
        two_sessions(an_edit_above_does_not_shift_the_comparison),
        two_sessions(a_file_in_another_folder_is_found_by_the_end_of_its_path),
        two_sessions(without_a_text_the_function_is_what_lines_are_measured_from),
        two_sessions(without_anything_a_number_is_all_there_is),
        two_sessions(equal_texts_keep_their_numbers),
        two_sessions(equal_sums_are_equal_texts),
        two_sessions(one_file_comes_in_the_order_of_its_lines),
        two_sessions(unknown_samples_are_told_apart_on_each_side),
        two_sessions(an_empty_side_tests_nothing),
        two_sessions(rows_come_in_the_order_that_is_asked_for),
        two_sessions(the_share_with_callees_can_be_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
