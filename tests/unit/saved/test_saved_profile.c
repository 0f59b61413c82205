/* Saved profiles: what is read is what was written, and of other bytes nothing is believed. */
#include "profile_fixture.h"

#include <errno.h>

#include "base/cleanup.h"

#define PLENTY (UINT64_C(64) << 20)

struct file {
    unsigned char *bytes; /* owned */
    size_t length;
};

static struct file encode(const struct profile_fixture *fixture)
{
    struct file file = {0};
    assert_int_equal(saved_profile_encode(&fixture->content, &file.bytes, &file.length), 0);
    return file;
}

static int decode(const struct file *file, uint64_t limit_bytes, struct saved_profile *profile,
                  struct failure *failure)
{
    *profile = (struct saved_profile){0};
    *failure = (struct failure){0};
    return saved_profile_decode(file->bytes, file->length, limit_bytes, profile, failure);
}

static void assert_same_symbols(const struct symbols *left, const struct symbols *right)
{
    assert_int_equal(symbols_file_count(left), symbols_file_count(right));
    for (uint32_t i = 0; i < symbols_file_count(left); i++) {
        struct symbol_file a = symbols_file(left, i), b = symbols_file(right, i);
        assert_string_equal(a.path, b.path);
        assert_string_equal(a.directory, b.directory);
        assert_int_equal(a.module, b.module);
        assert_int_equal(a.has_md5, b.has_md5);
        assert_memory_equal(a.md5, b.md5, sizeof a.md5);
    }
    assert_int_equal(symbols_function_count(left), symbols_function_count(right));
    for (uint32_t i = 0; i < symbols_function_count(left); i++) {
        struct symbol_function a = symbols_function(left, i), b = symbols_function(right, i);
        assert_string_equal(a.name, b.name);
        assert_int_equal(a.module, b.module);
        assert_int_equal(a.file, b.file);
        assert_int_equal(a.line, b.line);
    }
}

static void assert_same_stacks(const struct profile_fixture *fixture,
                               const struct saved_profile *profile)
{
    assert_int_equal(stack_trie_node_count(profile->trie), FIXTURE_NODES);
    assert_int_equal(stack_trie_location_count(profile->trie), FIXTURE_LOCATIONS);
    for (uint32_t i = 0; i < FIXTURE_NODES; i++) {
        struct trie_node a = stack_trie_node(fixture->trie, i);
        struct trie_node b = stack_trie_node(profile->trie, i);
        assert_true(a.parent == b.parent && a.location == b.location);
    }
    for (uint32_t i = 0; i < FIXTURE_LOCATIONS; i++) {
        struct raw_frame a = stack_trie_location(fixture->trie, i);
        struct raw_frame b = stack_trie_location(profile->trie, i);
        assert_true(a.module == b.module && a.vaddr == b.vaddr &&
                    a.is_return_address == b.is_return_address);
        struct frame_span c = symbols_frames(fixture->symbols, i);
        struct frame_span d = symbols_frames(profile->symbols, i);
        assert_true(c.count == d.count && c.status == d.status);
        if (c.count)
            assert_memory_equal(c.frames, d.frames, c.count * sizeof *c.frames);
    }
}

static void assert_same_buckets(const struct profile_fixture *fixture,
                                const struct saved_profile *profile)
{
    struct sealed_bucket **buckets;
    size_t count;
    uint64_t end_ns, knows_since_ns;
    assert_int_equal(
        bucket_store_snapshot(profile->buckets, &buckets, &count, &end_ns, &knows_since_ns), 0);
    assert_int_equal(count, FIXTURE_BUCKETS);
    assert_int_equal(end_ns, fixture->info.duration_ns);
    for (size_t i = 0; i < count; i++) {
        const struct bucket *a = fixture->buckets[i], *b = &buckets[i]->bucket;
        assert_true(a->start_ns == b->start_ns && a->end_ns == b->end_ns && a->count == b->count);
        for (size_t j = 0; j < a->count; j++) {
            assert_int_equal(a->entries[j].node, b->entries[j].node);
            assert_int_equal(a->entries[j].thread, b->entries[j].thread);
            assert_int_equal(a->entries[j].hits, b->entries[j].hits);
            assert_int_equal(a->entries[j].weight_ns, b->entries[j].weight_ns);
        }
        bucket_release(buckets[i]);
    }
    free(buckets);
}

static void assert_same_document(const struct session_info *a, const struct session_info *b)
{
    assert_string_equal(a->command, b->command);
    assert_string_equal(a->executable, b->executable);
    assert_string_equal(a->started_at, b->started_at);
    assert_string_equal(a->backend, b->backend);
    assert_string_equal(a->backend_reason, b->backend_reason);
    assert_string_equal(a->event, b->event);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->duration_ns, b->duration_ns);
    assert_int_equal(a->frequency_hz, b->frequency_hz);
    assert_int_equal(a->stack_bytes, b->stack_bytes);
    assert_int_equal(a->follow, b->follow);
    assert_int_equal(a->threads, b->threads);
    assert_int_equal(a->processes, b->processes);
    assert_memory_equal(&a->samples, &b->samples, sizeof a->samples);
    assert_int_equal(a->sampled_ns, b->sampled_ns);
    assert_int_equal(a->accounted_ns, b->accounted_ns);
    assert_int_equal(a->warning_count, b->warning_count);
    for (size_t i = 0; i < a->warning_count; i++)
        assert_string_equal(a->warnings[i], b->warnings[i]);
}

static void what_is_read_is_what_was_written(void **state)
{
    (void)state;
    struct profile_fixture *fixture = fixture_new();
    struct file file = encode(fixture);
    struct saved_profile profile;
    struct failure failure;
    assert_int_equal(decode(&file, PLENTY, &profile, &failure), 0);
    assert_same_document(&fixture->info, &profile.info);
    assert_same_symbols(fixture->symbols, profile.symbols);
    assert_same_stacks(fixture, &profile);
    assert_same_buckets(fixture, &profile);
    assert_int_equal(profile.thread_count, FIXTURE_THREADS);
    assert_memory_equal(profile.threads, fixture->threads, sizeof fixture->threads);
    assert_int_equal(profile.module_count, FIXTURE_MODULES);
    for (size_t i = 0; i < FIXTURE_MODULES; i++) {
        assert_string_equal(profile.modules[i].path, fixture->modules[i].path);
        assert_int_equal(profile.modules[i].entry, fixture->modules[i].entry);
        assert_int_equal(profile.modules[i].kind, fixture->modules[i].kind);
        assert_int_equal(profile.modules[i].build_id_bytes, fixture->modules[i].build_id_bytes);
        assert_memory_equal(profile.modules[i].build_id, fixture->modules[i].build_id,
                            BUILD_ID_MAX);
    }
    _cleanup_free_ char *text = NULL;
    assert_int_equal(profile.source_count, 2);
    assert_int_equal(saved_source_unpack(&profile.sources[0], &text), 0);
    assert_memory_equal(text, FIXTURE_SOURCE, profile.sources[0].bytes);
    assert_true(profile.sources[0].stale);
    assert_int_equal(profile.sources[1].error, -13);
    saved_profile_clear(&profile);
    free(file.bytes);
    fixture_free(fixture);
}

/* Damage is noticed, or it is where nothing is kept: then what is read is the same. */
static void no_damage_goes_unnoticed(void **state)
{
    (void)state;
    struct profile_fixture *fixture = fixture_new();
    struct file file = encode(fixture);
    size_t noticed = 0;
    for (size_t at = 0; at < file.length; at += 7) {
        struct saved_profile profile;
        struct failure failure;
        unsigned char kept = file.bytes[at];
        file.bytes[at] ^= (unsigned char)(1 + at % 255);
        if (decode(&file, PLENTY, &profile, &failure)) {
            assert_true(failure.text[0] && failure.error < 0);
            noticed++;
        } else {
            assert_same_document(&fixture->info, &profile.info);
            assert_same_symbols(fixture->symbols, profile.symbols);
            assert_same_stacks(fixture, &profile);
            assert_same_buckets(fixture, &profile);
            saved_profile_clear(&profile);
        }
        file.bytes[at] = kept;
    }
    assert_true(noticed > file.length / 7 / 5);
    free(file.bytes);
    fixture_free(fixture);
}

static void a_cut_file_is_refused(void **state)
{
    (void)state;
    struct profile_fixture *fixture = fixture_new();
    struct file file = encode(fixture);
    for (size_t length = 0; length < file.length; length += 61) {
        struct saved_profile profile;
        struct failure failure;
        struct file cut = {malloc(length + !length), length};
        assert_non_null(cut.bytes);
        memcpy(cut.bytes, file.bytes, length);
        assert_true(decode(&cut, PLENTY, &profile, &failure) < 0);
        free(cut.bytes);
    }
    free(file.bytes);
    fixture_free(fixture);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct profile_fixture *fixture = fixture_new();
    struct file file = encode(fixture);
    struct saved_profile profile;
    struct failure failure;
    for (uint64_t limit = 1; limit < 4096; limit *= 2)
        assert_int_equal(decode(&file, limit, &profile, &failure), -EFBIG);
    assert_int_equal(decode(&file, 1 << 16, &profile, &failure), 0);
    saved_profile_clear(&profile);
    free(file.bytes);
    fixture_free(fixture);
}

/* Each breaks one promise that a file makes; the digest is that of the broken content. */
static void breaks_parent(struct profile_fixture *fixture)
{
    fixture->view.node_count = FIXTURE_NODES - 1; /* entries name a node that is not there */
}

static void breaks_order(struct profile_fixture *fixture)
{
    struct bucket_entry *entries = fixture->buckets[0]->entries;
    struct bucket_entry first = entries[0];
    entries[0] = entries[1];
    entries[1] = first;
}

static void breaks_thread(struct profile_fixture *fixture)
{
    fixture->buckets[0]->entries[3].thread = FIXTURE_THREADS;
}

static void breaks_time(struct profile_fixture *fixture)
{
    fixture->buckets[2]->start_ns = fixture->buckets[1]->end_ns - 1;
}

static void breaks_end(struct profile_fixture *fixture)
{
    fixture->info.duration_ns = fixture->buckets[4]->end_ns - 1;
}

static void breaks_sum(struct profile_fixture *fixture)
{
    fixture->info.samples.total--;
}

static void breaks_weight(struct profile_fixture *fixture)
{
    fixture->info.sampled_ns--;
}

static void breaks_frequency(struct profile_fixture *fixture)
{
    fixture->info.frequency_hz = 0;
}

static void breaks_module(struct profile_fixture *fixture)
{
    fixture->view.module_count--; /* locations name a module that is not there */
}

static void breaks_none(struct profile_fixture *fixture)
{
    fixture->modules[0].kind = MODULE_FILE;
}

static void breaks_source(struct profile_fixture *fixture)
{
    fixture->sources[1].file = FIXTURE_FILES;
}

static void breaks_source_order(struct profile_fixture *fixture)
{
    fixture->sources[1].file = 0;
}

static void breaks_state(struct profile_fixture *fixture)
{
    fixture->threads[0].state = (enum thread_state)9;
}

static void breaks_build_id(struct profile_fixture *fixture)
{
    fixture->modules[1].build_id_bytes = BUILD_ID_MAX + 1;
}

static void contents_that_do_not_fit_are_refused(void **state)
{
    static void (*const breaks[])(struct profile_fixture *) = {
        breaks_parent, breaks_order,  breaks_thread,       breaks_time,     breaks_end,
        breaks_sum,    breaks_weight, breaks_module,       breaks_none,     breaks_frequency,
        breaks_state,  breaks_source, breaks_source_order, breaks_build_id,
    };
    (void)state;
    for (size_t i = 0; i < array_length(breaks); i++) {
        struct profile_fixture *fixture = fixture_new();
        struct saved_profile profile;
        struct failure failure;
        breaks[i](fixture);
        struct file file = encode(fixture);
        assert_int_equal(decode(&file, PLENTY, &profile, &failure), -EBADMSG);
        free(file.bytes);
        fixture_free(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(no_damage_goes_unnoticed),
        cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(contents_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
