/* Lines that come from disk are those that the debug information gives, at every address. */
#include "module_fixture.h"

#include <sys/time.h>

#include "symbol/object.h"

#define CACHE_BYTES (UINT64_C(64) << 20)

struct answers {
    struct text text;
    size_t unknown; /* to what is on disk */
};

static void answers_free(struct answers *answers)
{
    text_free(&answers->text);
}

static void free_object(struct object **object)
{
    object_free(*object);
}

static struct disk_cache *open_cache(const struct fixture *fixture)
{
    struct disk_cache *cache;
    char path[128];
    snprintf(path, sizeof path, "%s/cache", fixture->directory);
    assert_int_equal(disk_cache_new(path, CACHE_BYTES, &cache), 0);
    return cache;
}

static struct object *open_object(struct fixture *fixture, struct disk_cache *cache)
{
    struct object *object;
    assert_int_equal(object_open(&fixture->module, NULL, &object), 0);
    if (cache)
        assert_int_equal(object_use_cache(object, cache, 0), 0);
    return object;
}

/* Where in the loaded code, every `step` bytes. */
static void add_code(const struct fixture *fixture, uint64_t step, struct addresses *addresses)
{
    _cleanup_free_ char *output =
        run("readelf -SW %s | sed 's/^ *\\[[ 0-9]*\\]//' | awk '$1 == \".text\" {print $3, $5}'",
            fixture->path);
    assert_non_null(output);
    char *cursor = output;
    uint64_t start = strtoull(cursor, &cursor, 16), bytes = strtoull(cursor, &cursor, 16);
    assert_true(bytes > 0);
    for (uint64_t at = 0; at < bytes + 4096; at += step)
        addresses_add(addresses, start + at);
}

static void tell_file(struct text *text, const struct store *store, uint32_t file)
{
    const struct stored_file *stored = &store->files[file];
    text_printf(text, " %s as %s in %s ", string_table_get(&store->strings, stored->path),
                string_table_get(&store->strings, stored->named),
                string_table_get(&store->strings, stored->directory));
    for (size_t i = 0; i < MD5_BYTES && stored->md5_state == FILE_MD5_KNOWN; i++)
        text_printf(text, "%02x", stored->md5[i]);
}

/* Everything that is said of a frame. */
static void tell(struct text *text, const struct store *store, const struct frame *frame)
{
    const struct stored_function *function = &store->functions[frame->function];
    text_printf(text, "  %s %u:", string_table_get(&store->strings, function->name),
                function->line);
    tell_file(text, store, function->file);
    text_printf(text, " at %u:%u", frame->line, frame->column);
    tell_file(text, store, frame->file);
    text_add_string(text, "\n");
}

/* What is said of all addresses. A store has room for only one md5 of a file: so each has its own.
 */
static void ask(struct object *object, bool from_disk, const struct addresses *addresses,
                struct answers *answers)
{
    struct store store;
    uint32_t fallback;
    size_t count;
    _cleanup_free_ struct frame *frames = calloc(FRAMES_PER_LOCATION_MAX, sizeof *frames);
    assert_int_equal(store_init(&store), 0);
    assert_int_equal(store_add_function(&store, "by symbol", object->module->id, 0, 0, &fallback),
                     0);
    *answers = (struct answers){0};
    for (size_t i = 0; i < addresses->count; i++) {
        int error = from_disk ? object_resolve_stored(object, &store, addresses->items[i], fallback,
                                                      frames, &count)
                              : object_resolve(object, &store, addresses->items[i], fallback,
                                               frames, &count);
        if (from_disk && error == -ENOENT) {
            answers->unknown++;
            continue;
        }
        assert_int_equal(error, 0);
        text_printf(&answers->text, "%#" PRIx64 "\n", addresses->items[i]);
        for (size_t k = 0; k < count; k++)
            tell(&answers->text, &store, &frames[k]);
    }
    assert_false(answers->text.failed);
    store_free(&store);
}

/* Answers by debug information, and keeps what was read for them. */
static void keep(struct fixture *fixture, const struct addresses *addresses,
                 struct answers *answers)
{
    struct disk_cache *cache = open_cache(fixture);
    {
        _cleanup_(free_object) struct object *object = open_object(fixture, cache);
        assert_int_equal(object_load_lines(object, NULL, 0, NULL, NULL), 0);
        assert_int_equal(object->status, SYMBOL_LINE);
        ask(object, false, addresses, answers);
        while (object_has_to_store(object))
            object_store_some(object);
    }
    assert_int_equal(cache->error, 0);
    disk_cache_free(cache);
}

static void recall(struct fixture *fixture, const struct addresses *addresses,
                   struct answers *answers)
{
    struct disk_cache *cache = open_cache(fixture);
    {
        _cleanup_(free_object) struct object *object = open_object(fixture, cache);
        ask(object, true, addresses, answers);
        assert_null(object->image);
    }
    disk_cache_free(cache);
}

static void assert_comes_back(struct fixture *fixture, uint64_t step)
{
    _cleanup_(addresses_free) struct addresses addresses = {0};
    _cleanup_(answers_free) struct answers first, again;
    add_code(fixture, step, &addresses);
    keep(fixture, &addresses, &first);
    recall(fixture, &addresses, &again);
    assert_int_equal(again.unknown, 0);
    assert_same_text(again.text.bytes, first.text.bytes);
    print_message("%s: %zu addresses\n", fixture->path, addresses.count);
}

static const char c_program[] =
    "#include <stdio.h>\n"
    "static inline int leaf(int x) { return x & 1 ? x * 3 + 1 : x / 2; }\n"
    "static inline int middle(int x) { int s = 0; for (int i = 0; i < x; i++) s += leaf(i) ^ s;\n"
    "    return s; }\n"
    "__attribute__((noinline)) int outer(int x) { return middle(x) + middle(x + 1); }\n"
    "__attribute__((cold)) int rare(int x) { return x ? rare(x - 1) : middle(3); }\n"
    "int main(int c, char **v) { return printf(\"%s\", v[0]) + outer(c) + rare(c); }\n";

static const char cxx_program[] =
    "#include <algorithm>\n#include <map>\n#include <string>\n#include <vector>\n"
    "int main(int c, char **v) { std::map<std::string, int> m; std::vector<int> n;\n"
    "    for (int i = 0; i < c; i++) { m[v[i]]++; n.push_back(i); }\n"
    "    std::sort(n.begin(), n.end(), [](int a, int b) { return a > b; }); return (int)m.size() + "
    "n[0]; }\n";

static void build(struct fixture *fixture, const char *command)
{
    fixture_write(fixture, "program.c", c_program);
    fixture_write(fixture, "program.cc", cxx_program);
    run_or_fail("cd %s && %s -o program 2>&1", fixture->directory, command);
    fixture_open_built(fixture, "program");
}

static void programs_of_all_kinds_come_back(void **state)
{
    static const char *const commands[] = {
        "gcc -g -O2 program.c",       "gcc -g -O2 -gdwarf-4 program.c",
        "gcc -g -O2 -flto program.c", "gcc -g3 -O0 -ffunction-sections program.c",
        "g++ -g -O2 program.cc",      "g++ -g -O0 program.cc",
    };
    for (size_t i = 0; i < array_length(commands); i++) {
        build(*state, commands[i]);
        assert_comes_back(*state, 1);
    }
    if (!have_tool("clang"))
        skip();
    build(*state, "clang -g -O2 -gdwarf-5 program.c");
    assert_comes_back(*state, 1);
}

/* With its own debug file, names and paths of hundreds of units. */
static void the_c_library_comes_back(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_free_ char *path = run("ldconfig -p | awk '/libc.so.6/ {print $NF; exit}'");
    assert_non_null(path);
    path[strcspn(path, "\n")] = '\0';
    fixture_open(fixture, path);
    _cleanup_(free_object) struct object *object = open_object(fixture, NULL);
    if (object->status != SYMBOL_LINE) {
        print_message("skipped: libc6-dbg is not installed\n");
        skip();
    }
    assert_comes_back(fixture, 7);
}

/* A module with split units: what is in other files is read from them each time. */
static void split_units_are_not_kept(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    _cleanup_(answers_free) struct answers first, again;
    build(fixture, "gcc -g -O2 -gsplit-dwarf program.c");
    addresses_add(&addresses, fixture_symbol(fixture, "outer"));
    keep(fixture, &addresses, &first);
    recall(fixture, &addresses, &again);
    assert_int_equal(again.unknown, 1);
}

/* What could not be read is read again each time: kept, it would be code without lines. */
static void damaged_units_are_not_kept(void **state)
{
    struct fixture *fixture = *state;
    static const char *const sections[] = {".debug_abbrev", ".debug_line"};
    for (size_t i = 0; i < array_length(sections); i++) {
        _cleanup_(addresses_free) struct addresses addresses = {0};
        _cleanup_(answers_free) struct answers first, again;
        build(fixture, "gcc -g -O2 program.c");
        addresses_add(&addresses, fixture_symbol(fixture, "outer"));
        addresses_add(&addresses, fixture_symbol(fixture, "_start"));
        run_or_fail("cd %s && head -c 100 /dev/zero | tr '\\0' '\\177' >bad && "
                    "objcopy --update-section %s=bad program 2>&1",
                    fixture->directory, sections[i]);
        fixture_open_built(fixture, "program");
        keep(fixture, &addresses, &first);
        recall(fixture, &addresses, &again);
        assert_int_equal(again.unknown, 2);
    }
}

/* Names that are kept may lack what is in it, and nothing else is read then. */
static void a_missing_alternate_file_is_said_without_reading(void **state)
{
    struct fixture *fixture = *state;
    build(fixture, "gcc -g -O2 program.c");
    run_or_fail("cd %s && printf '/nowhere/alternate\\0abcdefghijklmnopqrst' >link && "
                "objcopy --add-section .gnu_debugaltlink=link program",
                fixture->directory);
    fixture_open_built(fixture, "program");
    struct disk_cache *cache = open_cache(fixture);
    {
        _cleanup_(free_object) struct object *object = open_object(fixture, cache);
        _cleanup_free_ char *problem = object_problem(object);
        assert_null(object->image);
        assert_non_null(problem);
        assert_non_null(strstr(problem, "/nowhere/alternate"));
    }
    disk_cache_free(cache);
}

/* There may be as many long names as their author likes; but what is kept of a unit has a bound. */
static void a_unit_with_too_many_letters_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    enum { FUNCTIONS = 4400, LETTERS = 8200 };
    _cleanup_(addresses_free) struct addresses addresses = {0};
    _cleanup_(answers_free) struct answers first, again;
    struct text source = {0};
    _cleanup_free_ char *name = malloc(LETTERS);
    assert_non_null(name);
    memset(name, 'a', LETTERS);
    for (int i = 0; i < FUNCTIONS; i++) {
        text_printf(&source, "int f%d_", i);
        text_add(&source, name, LETTERS);
        text_printf(&source, "(void) { return %d; }\n", i);
    }
    text_add_string(&source, "int main(void) { return 0; }\n");
    assert_false(source.failed);
    fixture_write(fixture, "long.c", source.bytes);
    text_free(&source);
    run_or_fail("cd %s && gcc -g -o long long.c 2>&1", fixture->directory);
    fixture_open_built(fixture, "long");
    addresses_add(&addresses, fixture_symbol(fixture, "main"));
    keep(fixture, &addresses, &first);
    recall(fixture, &addresses, &again);
    assert_int_equal(again.unknown, 1);
}

static void assert_forgotten(struct fixture *fixture, const struct addresses *addresses)
{
    _cleanup_(answers_free) struct answers again;
    recall(fixture, addresses, &again);
    assert_int_equal(again.unknown, addresses->count);
}

static void a_file_that_changed_is_another(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    _cleanup_(answers_free) struct answers first, again;
    build(fixture, "gcc -g -O2 program.c");
    addresses_add(&addresses, fixture_symbol(fixture, "outer"));
    keep(fixture, &addresses, &first);
    recall(fixture, &addresses, &again);
    assert_int_equal(again.unknown, 0);
    /* A copy of the same build, with the same times. */
    run_or_fail("cd %s && cp -p program copy && mv copy program", fixture->directory);
    fixture_open_built(fixture, "program");
    assert_forgotten(fixture, &addresses);
    _cleanup_(answers_free) struct answers second;
    keep(fixture, &addresses, &second);
    /* Its time set back: the kernel knows when. */
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    run_or_fail("touch -d @0 %s && touch -d @%ld.%09ld %s", fixture->path, status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec, fixture->path);
    assert_forgotten(fixture, &addresses);
}

static void what_one_user_shows_is_not_believed_of_another(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    _cleanup_(answers_free) struct answers first, again;
    build(fixture, "gcc -g -O2 program.c");
    addresses_add(&addresses, fixture_symbol(fixture, "outer"));
    keep(fixture, &addresses, &first);
    uid_t uid = fixture->target->uid;
    fixture->target->shared->is_final =
        true; /* or it would see that this process is not that user's */
    fixture->target->uid = uid + 1;
    struct disk_cache *cache = open_cache(fixture);
    struct object *object = open_object(fixture, cache);
    ask(object, true, &addresses, &again);
    object_free(object);
    disk_cache_free(cache);
    fixture->target->uid = uid;
    fixture->target->shared->is_final = false;
    assert_int_equal(again.unknown, 1);
}

/* Whatever happens to a file, answers are right or there are none. */
static void damaged_files_are_ignored_and_replaced(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    build(fixture, "gcc -g -O2 program.c");
    add_code(fixture, 1, &addresses);
    static const char *const damages[] = {
        "truncate -s 100 $i",
        "truncate -s 0 $i",
        "printf X | dd of=$i bs=1 seek=700 conv=notrunc",
        "echo more >> $i",
        "rm $i",
    };
    for (size_t i = 0; i < array_length(damages); i++) {
        _cleanup_(answers_free) struct answers first, damaged, again;
        keep(fixture, &addresses, &first);
        run_or_fail("cd %s/cache && for i in *; do %s 2>&1; done", fixture->directory, damages[i]);
        recall(fixture, &addresses, &damaged);
        assert_int_equal(damaged.unknown, addresses.count);
        text_free(&first.text);
        keep(fixture, &addresses, &first);
        recall(fixture, &addresses, &again);
        assert_int_equal(again.unknown, 0);
        assert_same_text(again.text.bytes, first.text.bytes);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_of_all_kinds_come_back),
        TEST(the_c_library_comes_back),
        TEST(split_units_are_not_kept),
        TEST(damaged_units_are_not_kept),
        TEST(a_missing_alternate_file_is_said_without_reading),
        TEST(a_unit_with_too_many_letters_is_not_kept),
        TEST(a_file_that_changed_is_another),
        TEST(what_one_user_shows_is_not_believed_of_another),
        TEST(damaged_files_are_ignored_and_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
