/* Functions to which gcc gives no linkage name are called what nm and their scopes say. */
#include "module_fixture.h"

static const char program[] =
    "static volatile long sink;\n"
    "namespace app {\n"
    "namespace {\n"
    "struct counter {\n"
    "    volatile long value = 0;\n"
    "    __attribute__((noinline)) void add(long n) { value = value + n; sink = n; }\n"
    "};\n"
    "}\n"
    "}\n"
    "namespace {\n"
    "template <class T> struct box {\n"
    "    volatile T value{};\n"
    "    __attribute__((noinline)) void add(T n) { value = value + n; sink = n; }\n"
    "    inline __attribute__((always_inline)) void twice(T n) { value = value * n; }\n"
    "};\n"
    "inline __attribute__((always_inline)) void step(long n) { sink = sink * n; }\n"
    "}\n"
    "void (*volatile pointer)(long) = step;\n"
    "int main(int argc, char **)\n"
    "{\n"
    "    struct local {\n"
    "        static inline __attribute__((always_inline)) void touch(long n) { sink = sink + n; }\n"
    "    };\n"
    "    app::counter counter;\n"
    "    box<int> box;\n"
    "    auto first = [&](long n) __attribute__((noinline)) { sink = sink + n; };\n"
    "    auto second = [&](long n) __attribute__((noinline)) { sink = sink ^ n; };\n"
    "    auto third = [&](long n) __attribute__((always_inline)) { sink = sink | n; };\n"
    "    for (int i = 0; i < argc; i++) {\n"
    "        counter.add(i); box.add(i); box.twice(i); step(i); local::touch(i);\n"
    "        first(i); second(i); third(i); pointer(i);\n"
    "    }\n"
    "}\n";

static bool build(struct fixture *fixture, const char *options)
{
    if (!have_tool("g++") || !have_tool("nm"))
        return false;
    fixture_write(fixture, "program.cc", program);
    run_or_fail("cd %s && g++ -g -O2 -std=c++17 %s -o program program.cc", fixture->directory,
                options);
    fixture_open_built(fixture, "program");
    return true;
}

/* Lines of "ADDRESS NAME" of all functions that the program defines itself. */
static char *list_functions(const struct fixture *fixture)
{
    char *output = run("nm -C %s | sed -nE 's/ \\[clone .*//; s/^([0-9a-f]+) [tT] "
                       "(.*(add|step|main|operator).*)/\\1 \\2/p' | grep -v __libc",
                       fixture->path);
    assert_non_null(output);
    return output;
}

static void every_function_is_called_what_its_symbol_is(void **state)
{
    struct fixture *fixture = *state;
    size_t count = 0;
    if (!build(fixture, ""))
        skip();
    _cleanup_free_ char *functions = list_functions(fixture);
    for (char *save, *line = strtok_r(functions, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char *name;
        struct frame_span span = fixture_resolve(fixture, strtoull(line, &name, 16), false);
        assert_string_equal(fixture_function(fixture, &span, span.count - 1), name + 1);
        count++;
    }
    assert_int_equal(count, 6);
}

/* The function whose name as nm says it begins like that. */
static struct symbol_function find_function(struct fixture *fixture, const char *name)
{
    _cleanup_free_ char *line = run("nm -C %s | grep -F ' %s'", fixture->path, name);
    assert_non_null(line);
    struct frame_span span = fixture_resolve(fixture, strtoull(line, NULL, 16), false);
    return symbols_function(fixture->symbols, span.frames[span.count - 1].function);
}

static void a_lambda_is_declared_where_its_class_is(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, ""))
        skip();
    assert_int_equal(find_function(fixture, "main::{lambda(long)#1}").line, 26);
    assert_int_equal(find_function(fixture, "main::{lambda(long)#2}").line, 27);
    assert_int_equal(find_function(fixture, "app::(anonymous").line, 6);
}

/* Those of functions that other units may have, too, have linkage names and no declaration. */
static const char shared_lambdas[] =
    "static volatile long sink;\n"
    "struct engine {\n"
    "    long k = 3;\n"
    "    __attribute__((noinline)) void run(long n)\n"
    "    {\n"
    "        auto step = [this](long i) __attribute__((noinline)) { sink = sink * k + i; };\n"
    "        step(n);\n"
    "    }\n"
    "};\n"
    "inline __attribute__((noinline)) void work(long n)\n"
    "{\n"
    "    auto step = [](long i) __attribute__((noinline)) { sink = sink ^ i; };\n"
    "    step(n);\n"
    "}\n"
    "int main(int argc, char **)\n"
    "{\n"
    "    engine engine;\n"
    "    engine.run(argc);\n"
    "    work(argc);\n"
    "}\n";

static void a_lambda_that_has_a_linkage_name_is_declared_where_its_class_is(void **state)
{
    struct fixture *fixture = *state;
    static const char *const options[] = {"-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gsplit-dwarf",
                                          "-gdwarf-4 -gsplit-dwarf", "-fdebug-types-section"};
    static const char *const compilers[] = {"g++", "clang++"};
    if (!have_tool("g++") || !have_tool("nm"))
        skip();
    for (size_t i = 0; i < array_length(options) * array_length(compilers); i++) {
        const char *compiler = compilers[i / array_length(options)];
        if (!have_tool(compiler))
            continue;
        fixture_write(fixture, "shared.cc", shared_lambdas);
        run_or_fail("cd %s && rm -f *.dwo && %s -g -O2 -std=c++17 %s -o shared shared.cc",
                    fixture->directory, compiler, options[i % array_length(options)]);
        fixture_open_built(fixture, "shared");
        assert_int_equal(find_function(fixture, "engine::run(long)::{lambda(long)#1}").line, 6);
        assert_int_equal(find_function(fixture, "work(long)::{lambda(long)#1}").line, 12);
    }
}

static char *describe_main(struct fixture *fixture)
{
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "", 1, &addresses);
    return fixture_describe(fixture, &addresses);
}

static void inlined_functions_say_their_scopes(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"(anonymous namespace)::box<int>::twice",
                                        "main::{lambda}::operator()", "main::local::touch"};
    if (!build(fixture, ""))
        skip();
    _cleanup_free_ char *text = describe_main(fixture);
    for (size_t i = 0; i < array_length(names); i++) {
        _cleanup_free_ char *line = NULL;
        assert_true(asprintf(&line, "\n%s\n", names[i]) > 0);
        assert_non_null(strstr(text, line));
    }
}

static void what_was_inlined_is_the_function_that_was_not(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, ""))
        skip();
    _cleanup_free_ char *text = describe_main(fixture);
    assert_non_null(strstr(text, "\n(anonymous namespace)::step(long)\n"));
    assert_null(strstr(text, "\n(anonymous namespace)::step\n"));
}

/* Their DIEs have names like operator()<long int>, and their symbols operator()<long>. */
static const char generic_lambdas[] =
    "static volatile long sink;\n"
    "struct caller { template <class T> void operator()(T x) { sink = sink + x; } };\n"
    "int main(int argc, char **)\n"
    "{\n"
    "    auto own = [](auto x) __attribute__((noinline)) { sink = sink ^ x; };\n"
    "    auto in = [](auto x) __attribute__((always_inline)) { sink = sink | x; };\n"
    "    struct { void touch(long x) { sink = sink - x; } } unnamed;\n"
    "    own(static_cast<long>(argc)); in(static_cast<long>(argc)); caller()(argc);\n"
    "    unnamed.touch(argc);\n"
    "}\n";

static void a_generic_lambda_is_a_lambda(void **state)
{
    struct fixture *fixture = *state;
    static const char *const options[] = {"-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gsplit-dwarf"};
    if (!have_tool("g++") || !have_tool("nm"))
        skip();
    fixture_write(fixture, "generic.cc", generic_lambdas);
    for (size_t i = 0; i < array_length(options); i++) {
        run_or_fail("cd %s && rm -f *.dwo && g++ -g -O2 -std=c++17 %s -o generic generic.cc",
                    fixture->directory, options[i]);
        fixture_open_built(fixture, "generic");
        _cleanup_free_ char *text = describe_main(fixture);
        assert_non_null(
            strstr(text, "\nauto main::{lambda(auto:1)#1}::operator()<long>(long) const\n"));
        assert_non_null(strstr(text, "\nmain::{lambda}::operator()<long int>\n"));
        assert_non_null(strstr(text, "\nmain::{unnamed type}::touch\n"));
        assert_null(strstr(text, "{unnamed type}::operator()"));
    }
}

/* gcc says of a coroutine's clones neither where they are declared nor what they are clones of. */
static const char coroutine[] =
    "#include <coroutine>\n"
    "static volatile long sink;\n"
    "struct task {\n"
    "    struct promise_type {\n"
    "        task get_return_object()\n"
    "        {\n"
    "            return {std::coroutine_handle<promise_type>::from_promise(*this)};\n"
    "        }\n"
    "        std::suspend_always initial_suspend() { return {}; }\n"
    "        std::suspend_always final_suspend() noexcept { return {}; }\n"
    "        std::suspend_always yield_value(int) { return {}; }\n"
    "        void return_void() {}\n"
    "        void unhandled_exception() {}\n"
    "    };\n"
    "    std::coroutine_handle<promise_type> handle;\n"
    "};\n"
    "task gen(int n) { for (;; n++) { sink = sink + n; co_yield n; } }\n"
    "int main(int argc, char **) { task task = gen(argc); task.handle.resume(); }\n";

static void a_function_without_a_declaration_has_no_file_either(void **state)
{
    struct fixture *fixture = *state;
    static const char *const options[] = {"-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gsplit-dwarf",
                                          "-gdwarf-4 -gsplit-dwarf"};
    if (!have_tool("g++") || !have_tool("nm"))
        skip();
    fixture_write(fixture, "coroutine.cc", coroutine);
    for (size_t i = 0; i < array_length(options); i++) {
        run_or_fail("cd %s && rm -f *.dwo && g++ -g -O2 -std=c++20 %s -o coroutine coroutine.cc",
                    fixture->directory, options[i]);
        fixture_open_built(fixture, "coroutine");
        _cleanup_free_ char *line = run("nm %s | grep 'gen.*[.]destroy$'", fixture->path);
        assert_non_null(line);
        struct frame_span span = fixture_resolve(fixture, strtoull(line, NULL, 16), false);
        struct symbol_function function =
            symbols_function(fixture->symbols, span.frames[span.count - 1].function);
        assert_string_equal(function.name, "gen");
        assert_int_equal(function.line, 0);
        assert_int_equal(function.file, 0);
    }
}

static void names_are_the_same_wherever_dies_are(void **state)
{
    struct fixture *fixture = *state;
    static const char *const options[] = {"-gsplit-dwarf", "-gdwarf-4 -gsplit-dwarf", "-gdwarf-4",
                                          "-fdebug-types-section"};
    if (!build(fixture, "-gdwarf-5"))
        skip();
    _cleanup_free_ char *expected = describe_main(fixture);
    for (size_t i = 0; i < array_length(options); i++) {
        assert_true(build(fixture, options[i]));
        _cleanup_free_ char *text = describe_main(fixture);
        assert_same_text(text, expected);
    }
}

/* Without a symbol table there are still the scopes. */
static void stripped_functions_say_their_scopes(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, "") || !have_tool("objcopy"))
        skip();
    _cleanup_free_ char *line = run("nm -C %s | grep -F ' app::(anonymous'", fixture->path);
    assert_non_null(line);
    run_or_fail("cd %s && objcopy --keep-section='.debug*' --strip-all program stripped",
                fixture->directory);
    fixture_open_built(fixture, "stripped");
    struct frame_span span = fixture_resolve(fixture, strtoull(line, NULL, 16), false);
    assert_string_equal(fixture_function(fixture, &span, span.count - 1),
                        "app::(anonymous namespace)::counter::add");
}

static void a_function_of_c_is_not_called_what_its_alias_is(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "alias.c",
                  "static __attribute__((used)) int own(int x) { return x * 3; }\n"
                  "int other(int x) __attribute__((alias(\"own\")));\n"
                  "int main(int argc, char **argv) { return !argv + other(argc); }\n");
    run_or_fail("cd %s && gcc -g -O1 -o alias alias.c", fixture->directory);
    fixture_open_built(fixture, "alias");
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "own"), false);
    assert_string_equal(fixture_function(fixture, &span, 0), "own");
}

/* As glibc makes them, so that its own calls need no PLT. */
static void a_function_is_called_what_it_is_exported_as(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc") || !have_tool("nm"))
        skip();
    fixture_write(
        fixture, "exported.c",
        "extern __attribute__((visibility(\"hidden\")))\n"
        "int work(int x) __asm__(\"__GI___work\");\n"
        "int work(int x) { return x * 3; }\n"
        "#define EXPORT(name, function) \\\n"
        "extern int function(int x) __asm__(#name) __attribute__((alias(\"__GI___work\")));\n"
        "EXPORT(__libc_work, first)\n"
        "EXPORT(cwork, second)\n"
        "EXPORT(work, third)\n"
        "extern __attribute__((visibility(\"hidden\")))\n"
        "int lone(int x) __asm__(\"__GI_lone\");\n"
        "int lone(int x) { return x * 5; }\n");
    run_or_fail("cd %s && gcc -g -O1 -fPIC -shared -o exported exported.c", fixture->directory);
    fixture_open_built(fixture, "exported");
    uint64_t work = fixture_symbol(fixture, "__GI___work");
    assert_int_equal(fixture_symbol(fixture, "work"), work);
    struct frame_span span = fixture_resolve(fixture, work, false);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
    span = fixture_resolve(fixture, fixture_symbol(fixture, "__GI_lone"), false);
    assert_string_equal(fixture_function(fixture, &span, span.count - 1), "__GI_lone");
}

/* As glibc has them. The names are told in this order, and the last one is the longest. */
static const char assembly[] = ".text\n"
                               ".type __fmin, @function\n"
                               "__fmin: ret\n"
                               ".size __fmin, .-__fmin\n"
                               ".macro alias name, of\n"
                               ".weak \\name\n"
                               ".set \\name, \\of\n"
                               ".type \\name, @function\n"
                               ".size \\name, 1\n"
                               ".endm\n"
                               "alias fmin, __fmin\n"
                               "alias fminf64, __fmin\n"
                               "alias fminf32x, __fmin\n"
                               ".type step, @function\n"
                               "step: ret\n"
                               ".size step, .-step\n"
                               "alias _ZN3app4stepEl, step\n"
                               ".globl unlock\n"
                               ".type unlock, @function\n"
                               "unlock: ret\n"
                               ".size unlock, .-unlock\n"
                               ".section .note.GNU-stack,\"\"\n";

static void of_the_names_that_assembly_gives_the_exported_one_counts(void **state)
{
    struct fixture *fixture = *state;
    static const char *const strips[] = {"true",
                                         "objcopy --keep-section='.debug*' --strip-all built"};
    static const char *const names[][2] = {
        {"__fmin", "fmin"}, {"step", "app::step(long)"}, {"unlock", "unlock"}};
    uint64_t vaddrs[array_length(names)];
    if (!have_tool("gcc") || !have_tool("nm") || !have_tool("objcopy"))
        skip();
    fixture_write(fixture, "labels.s", assembly);
    run_or_fail("cd %s && gcc -g -shared -Wl,--defsym=lock=unlock -o built labels.s",
                fixture->directory);
    _cleanup_free_ char *dies =
        run("cd %s && readelf --debug-dump=info built | grep -c 'DW_TAG_subprogram'",
            fixture->directory);
    if (!dies || atoi(dies) < 6) {
        print_message("skipped: this assembler writes no DIEs of functions\n");
        skip();
    }
    fixture_open_built(fixture, "built");
    for (size_t i = 0; i < array_length(names); i++)
        vaddrs[i] = fixture_symbol(fixture, names[i][0]);
    for (size_t strip = 0; strip < array_length(strips); strip++) {
        run_or_fail("cd %s && %s", fixture->directory, strips[strip]);
        fixture_open_built(fixture, "built");
        for (size_t i = 0; i < array_length(names); i++) {
            struct frame_span span = fixture_resolve(fixture, vaddrs[i], false);
            assert_string_equal(fixture_function(fixture, &span, 0), names[i][1]);
        }
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(every_function_is_called_what_its_symbol_is),
        test(a_lambda_is_declared_where_its_class_is),
        test(a_lambda_that_has_a_linkage_name_is_declared_where_its_class_is),
        test(inlined_functions_say_their_scopes),
        test(what_was_inlined_is_the_function_that_was_not),
        test(a_generic_lambda_is_a_lambda),
        test(a_function_without_a_declaration_has_no_file_either),
        test(names_are_the_same_wherever_dies_are),
        test(stripped_functions_say_their_scopes),
        test(a_function_of_c_is_not_called_what_its_alias_is),
        test(a_function_is_called_what_it_is_exported_as),
        test(of_the_names_that_assembly_gives_the_exported_one_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
