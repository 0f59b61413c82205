/* Broken ELF and DWARF yield a status: no crash, no hang, no sanitizer's complaint. */
#include "module_fixture.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/hash.h"

#define ROUNDS_NS_MAX NS_PER_SECOND
#define ADDRESSES 200

struct image {
    unsigned char *bytes; /* owned */
    size_t length;
};

static struct image read_image(const char *path)
{
    struct stat status;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    struct image image = {.bytes = malloc((size_t)status.st_size),
                          .length = (size_t)status.st_size};
    assert_non_null(image.bytes);
    assert_int_equal(read(fd, image.bytes, image.length), status.st_size);
    return image;
}

static void write_image(struct fixture *fixture, const struct image *image)
{
    assert_int_equal(pwrite(fixture->module.fd, image->bytes, image->length, 0), image->length);
    assert_int_equal(ftruncate(fixture->module.fd, (off_t)image->length), 0);
}

/* Below `limit`; the same on every run. */
static size_t draw(uint64_t *seed, size_t limit)
{
    return (size_t)(hash_u64(++*seed) % limit);
}

/* Half of the hits go to one window, so that small sections are hit hard, too. */
static void mutate(struct image *image, uint64_t *seed)
{
    static const unsigned char favourites[] = {0, 0xff, 0x7f, 0x80, 1};
    size_t hits = 1 + draw(seed, 64);
    size_t window = draw(seed, image->length);
    for (size_t i = 0; i < hits; i++) {
        size_t at = draw(seed, image->length);
        if (draw(seed, 2))
            at = (window + draw(seed, 512)) % image->length;
        image->bytes[at] = draw(seed, 2) ? (unsigned char)draw(seed, 256)
                                         : favourites[draw(seed, array_length(favourites))];
    }
}

static void resolve_all(struct fixture *fixture, const struct addresses *addresses)
{
    struct symbol_request requests[ADDRESSES];
    size_t count = addresses->count < ADDRESSES ? addresses->count : ADDRESSES;
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct symbol_request){
            .location = (uint32_t)i,
            .vaddr = addresses->items[i * addresses->count / count],
        };
    struct symbols *symbols;
    assert_int_equal(symbols_new(&symbols), 0);
    assert_int_equal(symbols_resolve_names(symbols, &fixture->module, requests, count), 0);
    assert_int_equal(symbols_resolve_lines(symbols, &fixture->module, requests, count), 0);
    for (size_t i = 0; i < count; i++) {
        struct frame_span span = symbols_frames(symbols, (uint32_t)i);
        assert_true(span.count >= 1);
        assert_int_not_equal(span.status, SYMBOL_PENDING);
        assert_int_not_equal(span.status, SYMBOL_NAME_ONLY);
    }
    symbols_free(symbols);
}

static void survive(struct fixture *fixture, const char *command)
{
    run_or_fail("cd %s && %s 2>&1", fixture->directory, command);
    fixture_open_built(fixture, "program");
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "", 1, &addresses);
    struct image original = read_image(fixture->path);
    struct image mutant = {.bytes = malloc(original.length), .length = original.length};
    assert_non_null(mutant.bytes);
    close_fd(&fixture->module.fd);
    fixture->module.fd = memfd_create("mutant", MFD_CLOEXEC);
    assert_true(fixture->module.fd >= 0);

    uint64_t seed = 20240101;
    uint64_t start_ns = clock_monotonic_ns();
    for (int round = 0; round < 1500 && clock_monotonic_ns() - start_ns < ROUNDS_NS_MAX; round++) {
        memcpy(mutant.bytes, original.bytes, original.length);
        mutate(&mutant, &seed);
        write_image(fixture, &mutant);
        resolve_all(fixture, &addresses);
    }
    free(original.bytes);
    free(mutant.bytes);
}

static const char program[] =
    "#include <stdio.h>\n"
    "struct node { struct node *next; int value; };\n"
    "static inline __attribute__((always_inline)) int leaf(int x) { return x & 1 ? x * 3 : x; }\n"
    "static inline int middle(struct node *n)\n"
    "{ int sum = 0; for (; n; n = n->next) sum += leaf(n->value) ^ sum; return sum; }\n"
    "int outer(struct node *n) { return middle(n) + middle(n->next); }\n"
    "int main(int argc, char **argv)\n"
    "{ struct node n = {0, argc}; printf(\"%s\", argv[0]); return outer(&n); }\n";

static void flipped_bytes_are_survived(void **state)
{
    struct fixture *fixture = *state;
    static const char *const commands[] = {
        "gcc -gdwarf-5 -O2 -o program program.c",
        "gcc -gdwarf-4 -O2 -o program program.c",
        "gcc -gdwarf-5 -O2 -gz -o program program.c",
        "clang -gdwarf-5 -O2 -o program program.c",
    };
    fixture_write(fixture, "program.c", program);
    if (!have_tool("gcc") || !have_tool("clang"))
        skip();
    for (size_t i = 0; i < array_length(commands); i++)
        survive(fixture, commands[i]);
}

static void truncated_files_are_survived(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O2 -o program program.c", fixture->directory);
    fixture_open_built(fixture, "program");
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "", 8, &addresses);
    struct image image = read_image(fixture->path);
    close_fd(&fixture->module.fd);
    fixture->module.fd = memfd_create("short", MFD_CLOEXEC);
    assert_true(fixture->module.fd >= 0);
    for (size_t length = 0; length < image.length; length += image.length / 100) {
        struct image part = {.bytes = image.bytes, .length = length};
        write_image(fixture, &part);
        resolve_all(fixture, &addresses);
    }
    free(image.bytes);
}

/* Claims for all sections of one type that they are as long as a terabyte of holes. */
static void claim_terabyte(struct image *image, uint32_t type)
{
    Elf64_Ehdr header;
    memcpy(&header, image->bytes, sizeof header);
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        unsigned char *at = image->bytes + header.e_shoff + i * sizeof section;
        memcpy(&section, at, sizeof section);
        if (section.sh_type == type)
            section.sh_size = UINT64_C(1) << 40;
        memcpy(at, &section, sizeof section);
    }
}

static void holes_of_a_sparse_file_take_no_memory(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O2 -o program program.c", fixture->directory);
    fixture_open_built(fixture, "program");
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "", 8, &addresses);
    struct image image = read_image(fixture->path);
    struct image mutant = {.bytes = malloc(image.length), .length = image.length};
    assert_non_null(mutant.bytes);
    close_fd(&fixture->module.fd);
    fixture->module.fd = memfd_create("sparse", MFD_CLOEXEC);
    assert_true(fixture->module.fd >= 0);
    static const uint32_t types[] = {SHT_STRTAB, SHT_SYMTAB, SHT_NOTE, SHT_PROGBITS, SHT_NULL};
    for (size_t i = 0; i < array_length(types); i++) {
        memcpy(mutant.bytes, image.bytes, image.length);
        claim_terabyte(&mutant, types[i]);
        write_image(fixture, &mutant);
        assert_int_equal(ftruncate(fixture->module.fd, (off_t)1 << 41), 0);
        resolve_all(fixture, &addresses);
    }
    free(image.bytes);
    free(mutant.bytes);
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_true(usage.ru_maxrss < 1 << 20); /* KiB */
}

/* Builds the program, and makes fixture->module an empty file beside it. */
static struct image build_image(struct fixture *fixture)
{
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O2 -o program program.c", fixture->directory);
    fixture_open_built(fixture, "program");
    close_fd(&fixture->module.fd);
    fixture->module.fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fixture->module.fd >= 0);
    return read_image(fixture->path);
}

/* Borrowed from the image. */
static Elf64_Shdr *find_section(struct image *image, const char *name)
{
    const Elf64_Ehdr *header = (void *)image->bytes;
    Elf64_Shdr *sections = (void *)(image->bytes + header->e_shoff);
    const char *names = (char *)image->bytes + sections[header->e_shstrndx].sh_offset;
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, name) == 0)
            return &sections[i];
    fail_msg("no %s", name);
    return NULL;
}

static void assert_outer(struct fixture *fixture, const struct image *image,
                         enum symbol_status status)
{
    write_image(fixture, image);
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "outer"), false);
    assert_int_equal(span.status, status);
    assert_string_equal(fixture_function(fixture, &span, span.count - 1), "outer");
}

static void a_section_outside_the_file_costs_only_what_it_has(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    struct image image = build_image(fixture);
    find_section(&image, ".debug_str")->sh_size = UINT64_C(4) << 30;
    assert_outer(fixture, &image, SYMBOL_LINE);
    free(image.bytes);
    image = build_image(fixture);
    find_section(&image, ".debug_info")->sh_offset = UINT64_MAX - 63;
    assert_outer(fixture, &image, SYMBOL_NO_DEBUG_INFO);
    free(image.bytes);
}

/* The target may cut its binary off between the names and the lines. */
static void file_may_shrink_while_in_use(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O2 -o program program.c", fixture->directory);
    fixture_open_built(fixture, "program");
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "outer")};
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
    assert_int_equal(truncate(fixture->path, 4096), 0);
    assert_int_equal(symbols_resolve_lines(fixture->symbols, &fixture->module, &request, 1), 0);
    struct frame_span span = symbols_frames(fixture->symbols, 0);
    assert_int_equal(span.status, SYMBOL_UNREADABLE);
    assert_string_equal(fixture_function(fixture, &span, 0), "outer");
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(flipped_bytes_are_survived),
        test(truncated_files_are_survived),
        test(holes_of_a_sparse_file_take_no_memory),
        test(a_section_outside_the_file_costs_only_what_it_has),
        test(file_may_shrink_while_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
