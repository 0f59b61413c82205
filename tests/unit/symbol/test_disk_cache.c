/* What is kept on disk comes back as it was, or not at all. */
#include "module_fixture.h"

#include <dirent.h>
#include <sys/time.h>

#include "symbol/disk_cache.h"

#define MAX_BYTES (UINT64_C(1) << 20)

static const char identity[] = "some module\nunit 0x10\n";
static const char piece[] = "what was made of it";

struct kept {
    char directory[64];
    char path[128]; /* of the cache, below */
    struct disk_cache *cache;
};

static int set_up(void **state)
{
    struct kept *kept = calloc(1, sizeof *kept);
    assert_non_null(kept);
    strcpy(kept->directory, "/tmp/lprofd-cache-XXXXXX");
    assert_non_null(mkdtemp(kept->directory));
    snprintf(kept->path, sizeof kept->path, "%s/a/b", kept->directory);
    assert_int_equal(disk_cache_new(kept->path, MAX_BYTES, &kept->cache), 0);
    *state = kept;
    return 0;
}

static int tear_down(void **state)
{
    struct kept *kept = *state;
    disk_cache_free(kept->cache);
    free(run("rm -rf %s", kept->directory));
    free(kept);
    return 0;
}

/* As the next session sees it. */
static void open_again(struct kept *kept)
{
    disk_cache_free(kept->cache);
    assert_int_equal(disk_cache_new(kept->path, MAX_BYTES, &kept->cache), 0);
}

static void keep(struct kept *kept)
{
    assert_int_equal(disk_cache_write(kept->cache, identity, piece, sizeof piece), 0);
}

static void assert_found(struct kept *kept, const char *what, const void *bytes, size_t length)
{
    _cleanup_free_ unsigned char *found = NULL;
    size_t found_length;
    assert_int_equal(disk_cache_read(kept->cache, what, &found, &found_length), 0);
    assert_int_equal(found_length, length);
    assert_memory_equal(found, bytes, length);
}

static void assert_not_found(struct kept *kept, const char *what)
{
    unsigned char *bytes;
    size_t length;
    assert_int_equal(disk_cache_read(kept->cache, what, &bytes, &length), -ENOENT);
}

/* The only file; the caller frees it. */
static char *only_file(const struct kept *kept)
{
    char *path = run("find %s -type f", kept->path);
    assert_non_null(path);
    assert_non_null(strchr(path, '\n'));
    *strchr(path, '\n') = '\0';
    return path;
}

static size_t count_files(const struct kept *kept)
{
    _cleanup_free_ char *output = run("find %s -name '*.symbols' | wc -l", kept->path);
    assert_non_null(output);
    return strtoul(output, NULL, 10);
}

static void what_is_written_comes_back(void **state)
{
    struct kept *kept = *state;
    assert_not_found(kept, identity);
    keep(kept);
    assert_found(kept, identity, piece, sizeof piece);
    open_again(kept);
    assert_found(kept, identity, piece, sizeof piece);
    assert_not_found(kept, "another module\n");
    assert_null(disk_cache_problem(kept->cache));
}

static void an_empty_piece_is_one(void **state)
{
    struct kept *kept = *state;
    assert_int_equal(disk_cache_write(kept->cache, identity, "", 0), 0);
    assert_found(kept, identity, "", 0);
}

static void a_newer_piece_replaces_the_older(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    assert_int_equal(disk_cache_write(kept->cache, identity, "new", 3), 0);
    assert_found(kept, identity, "new", 3);
    assert_int_equal(count_files(kept), 1);
}

static void directories_and_files_are_for_the_owner_only(void **state)
{
    struct kept *kept = *state;
    struct stat status;
    mode_t before = umask(0);
    keep(kept);
    umask(before);
    _cleanup_free_ char *file = only_file(kept);
    assert_int_equal(stat(kept->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct kept *kept = *state;
    struct stat status;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &status), 0);
    size_t noticed = 0;
    for (off_t at = 0; at < status.st_size; at++) {
        unsigned char byte, wrong;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        wrong = byte ^ (unsigned char)(1u << (at % 8));
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        unsigned char *bytes;
        size_t length;
        if (disk_cache_read(kept->cache, identity, &bytes, &length) == 0)
            free(bytes);
        else
            noticed++;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    /* All but the four bytes of padding in the header, which mean nothing. */
    assert_int_equal(noticed, status.st_size - 4);
    assert_found(kept, identity, piece, sizeof piece);
}

static void a_file_of_another_length_is_none(void **state)
{
    struct kept *kept = *state;
    struct stat status;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size + 1), 0);
    assert_not_found(kept, identity);
    for (off_t length = status.st_size; length-- > 0;) {
        assert_int_equal(truncate(path, length), 0);
        assert_not_found(kept, identity);
    }
    keep(kept);
    assert_found(kept, identity, piece, sizeof piece);
}

static void a_file_of_another_format_is_none(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    uint32_t format;
    assert_int_equal(pread(fd, &format, sizeof format, 8), sizeof format);
    assert_int_equal(format, DISK_CACHE_FORMAT);
    format++;
    assert_int_equal(pwrite(fd, &format, sizeof format, 8), sizeof format);
    assert_not_found(kept, identity);
}

static void a_piece_of_another_module_under_our_name_is_none(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    assert_int_equal(disk_cache_write(kept->cache, "else", piece, sizeof piece), 0);
    run_or_fail("for i in %s/*; do [ $i = %s ] || mv $i %s; done", kept->path, path, path);
    assert_not_found(kept, identity);
}

static void a_directory_that_others_have_rights_to_is_not_used(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    for (int mode = 0701; mode <= 0777; mode++) {
        if ((mode & 077) == 0)
            continue;
        assert_int_equal(chmod(kept->path, (mode_t)mode), 0);
        open_again(kept);
        assert_not_found(kept, identity);
        assert_int_equal(disk_cache_write(kept->cache, identity, piece, sizeof piece), -EPERM);
        _cleanup_free_ char *problem = disk_cache_problem(kept->cache);
        assert_non_null(problem);
        assert_non_null(strstr(problem, kept->path));
    }
    assert_int_equal(chmod(kept->path, 0700), 0);
    open_again(kept);
    assert_found(kept, identity, piece, sizeof piece);
}

static void a_file_that_others_have_rights_to_is_none(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    assert_int_equal(chmod(path, 0620), 0);
    assert_not_found(kept, identity);
    assert_int_equal(chmod(path, 0600), 0);
    assert_found(kept, identity, piece, sizeof piece);
}

static void what_another_user_owns_is_not_used(void **state)
{
    struct kept *kept = *state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_not_found(kept, identity);
    keep(kept);
    assert_found(kept, identity, piece, sizeof piece);
    assert_int_equal(chown(kept->path, 65534, 65534), 0);
    open_again(kept);
    assert_not_found(kept, identity);
    assert_int_equal(disk_cache_write(kept->cache, identity, piece, sizeof piece), -EPERM);
}

static void links_are_not_followed(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    run_or_fail("mv %s %s/real && ln -s %s/real %s", path, kept->directory, kept->directory, path);
    assert_not_found(kept, identity);
    run_or_fail("rm %s && ln %s/real %s", path, kept->directory, path);
    assert_not_found(kept, identity);
    run_or_fail("rm %s && mkfifo -m 600 %s", path, path);
    assert_not_found(kept, identity);
    run_or_fail("rm %s && mv %s/real %s", path, kept->directory, path);
    assert_found(kept, identity, piece, sizeof piece);
    run_or_fail("mv %s %s/c && ln -s %s/c %s", kept->path, kept->directory, kept->directory,
                kept->path);
    open_again(kept);
    assert_not_found(kept, identity);
    assert_true(disk_cache_write(kept->cache, identity, piece, sizeof piece) < 0);
}

/* Not as a symbolic link's name either: what it points to is not written. */
static void writing_replaces_a_link(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    _cleanup_free_ char *path = only_file(kept);
    run_or_fail("echo mine > %s/mine && ln -sf %s/mine %s", kept->directory, kept->directory, path);
    keep(kept);
    _cleanup_free_ char *text = run("cat %s/mine", kept->directory);
    assert_string_equal(text, "mine\n");
    assert_found(kept, identity, piece, sizeof piece);
}

static void what_was_not_used_for_longest_goes_first(void **state)
{
    struct kept *kept = *state;
    enum { PIECES = 100, PIECE_BYTES = 30000 };
    _cleanup_free_ char *bytes = calloc(1, PIECE_BYTES);
    char name[32];
    for (int i = 0; i < PIECES; i++) {
        snprintf(name, sizeof name, "piece %d", i);
        assert_int_equal(disk_cache_write(kept->cache, name, bytes, PIECE_BYTES), 0);
        /* Each a second after the one before; what is used again is of now. */
        _cleanup_free_ char *sum = run("printf '%s' | md5sum | cut -c 1-32", name);
        char path[256];
        snprintf(path, sizeof path, "%s/%.32s.symbols", kept->path, sum);
        const struct timeval times[2] = {{.tv_sec = 1000000 + i}, {.tv_sec = 1000000 + i}};
        assert_int_equal(utimes(path, times), 0);
        assert_found(kept, "piece 0", bytes, PIECE_BYTES);
    }
    _cleanup_free_ char *held = run("cat %s/* | wc -c", kept->path);
    assert_true(strtoull(held, NULL, 10) <= MAX_BYTES);
    assert_true(strtoull(held, NULL, 10) >= MAX_BYTES * 3 / 4);
    size_t left = count_files(kept);
    for (int i = 1; i < PIECES; i++) {
        snprintf(name, sizeof name, "piece %d", i);
        if (i <= PIECES - (int)left)
            assert_not_found(kept, name);
        else
            assert_found(kept, name, bytes, PIECE_BYTES);
    }
}

static void files_of_others_and_new_ones_are_left_alone(void **state)
{
    struct kept *kept = *state;
    keep(kept);
    run_or_fail("cd %s && dd if=/dev/zero of=notes.txt bs=1M count=2 2>&1 && "
                "touch 0123456789abcdef.new && touch -d '2 hours ago' 0123456789abcde0.new",
                kept->path);
    open_again(kept);
    keep(kept);
    _cleanup_free_ char *list = run("ls %s | grep -v symbols", kept->path);
    assert_string_equal(list, "0123456789abcdef.new\nnotes.txt\n");
    assert_found(kept, identity, piece, sizeof piece);
}

static void a_piece_that_is_too_large_is_not_kept(void **state)
{
    struct kept *kept = *state;
    _cleanup_free_ char *bytes = calloc(1, MAX_BYTES);
    assert_int_equal(disk_cache_write(kept->cache, identity, bytes, MAX_BYTES), -EFBIG);
    assert_null(disk_cache_problem(kept->cache));
    keep(kept);
}

static void a_full_disk_is_a_problem_once(void **state)
{
    struct kept *kept = *state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    run_or_fail("mkdir -p -m 700 %s && mount -t tmpfs -o size=64k,mode=700 none %s", kept->path,
                kept->path);
    _cleanup_free_ char *bytes = calloc(1, 32768);
    int error = 0;
    for (int i = 0; i < 10 && !error; i++) {
        char name[32];
        snprintf(name, sizeof name, "piece %d", i);
        error = disk_cache_write(kept->cache, name, bytes, 32768);
    }
    _cleanup_free_ char *problem = disk_cache_problem(kept->cache);
    _cleanup_free_ char *rest = run("ls %s | grep -c new || true", kept->path);
    int again = disk_cache_write(kept->cache, identity, piece, sizeof piece);
    disk_cache_free(kept->cache);
    kept->cache = NULL;
    run_or_fail("umount %s", kept->path);
    assert_int_equal(error, -ENOSPC);
    assert_int_equal(again, -ENOSPC);
    assert_non_null(strstr(problem, "No space left"));
    assert_string_equal(rest, "0\n");
}

static void a_directory_that_cannot_be_made_is_a_problem(void **state)
{
    struct kept *kept = *state;
    disk_cache_free(kept->cache);
    assert_int_equal(disk_cache_new("/proc/lprofd/symbols", MAX_BYTES, &kept->cache), 0);
    assert_not_found(kept, identity);
    assert_null(disk_cache_problem(kept->cache));
    assert_true(disk_cache_write(kept->cache, identity, piece, sizeof piece) < 0);
    _cleanup_free_ char *problem = disk_cache_problem(kept->cache);
    assert_non_null(strstr(problem, "/proc/lprofd/symbols"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_comes_back),
        TEST(an_empty_piece_is_one),
        TEST(a_newer_piece_replaces_the_older),
        TEST(directories_and_files_are_for_the_owner_only),
        TEST(every_flipped_bit_is_noticed),
        TEST(a_file_of_another_length_is_none),
        TEST(a_file_of_another_format_is_none),
        TEST(a_piece_of_another_module_under_our_name_is_none),
        TEST(a_directory_that_others_have_rights_to_is_not_used),
        TEST(a_file_that_others_have_rights_to_is_none),
        TEST(what_another_user_owns_is_not_used),
        TEST(links_are_not_followed),
        TEST(writing_replaces_a_link),
        TEST(what_was_not_used_for_longest_goes_first),
        TEST(files_of_others_and_new_ones_are_left_alone),
        TEST(a_piece_that_is_too_large_is_not_kept),
        TEST(a_full_disk_is_a_problem_once),
        TEST(a_directory_that_cannot_be_made_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
