/* Published frames, functions and files behind one reader-writer lock. */
#include "symbol/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "symbol/path.h"

#define ELLIPSIS "…"

static uint64_t function_hash(const struct stored_function *function)
{
    return hash_pair(hash_pair(function->name, function->module),
                     hash_pair(function->file, function->line));
}

static uint64_t file_hash(const struct stored_file *file)
{
    return hash_pair(file->path, file->directory);
}

static uint64_t rehash_function(const void *user, uint32_t position)
{
    const struct store *store = user;
    return function_hash(&store->functions[position]);
}

/* The identity of a file: the directory counts only where the path depends on it. */
static struct stored_file file_identity(const struct store *store, uint32_t position)
{
    struct stored_file file = store->files[position];
    if (string_table_get(&store->strings, file.path)[0] == '/')
        file.directory = 0;
    return file;
}

static uint64_t rehash_file(const void *user, uint32_t position)
{
    struct stored_file identity = file_identity(user, position);
    return file_hash(&identity);
}

struct wanted_function {
    const struct store *store;
    struct stored_function function;
};

static bool function_equal(const void *user, uint32_t position)
{
    const struct wanted_function *wanted = user;
    const struct stored_function *have = &wanted->store->functions[position];
    return have->name == wanted->function.name && have->module == wanted->function.module &&
           have->file == wanted->function.file && have->line == wanted->function.line;
}

struct wanted_file {
    const struct store *store;
    struct stored_file identity;
};

static bool file_equal(const void *user, uint32_t position)
{
    const struct wanted_file *wanted = user;
    struct stored_file have = file_identity(wanted->store, position);
    return have.path == wanted->identity.path && have.directory == wanted->identity.directory;
}

int store_init(struct store *store)
{
    *store = (struct store){0};
    if (pthread_rwlock_init(&store->lock, NULL))
        return -ENOMEM;
    static const char pending[] = "[not looked up yet]";
    uint32_t empty, name;
    if (string_table_intern(&store->strings, "", 0, &empty) ||
        string_table_intern(&store->strings, pending, sizeof pending - 1, &name) ||
        array_reserve(&store->functions, &store->function_capacity, 1, sizeof *store->functions) ||
        array_reserve(&store->files, &store->file_capacity, 1, sizeof *store->files)) {
        store_free(store);
        return -ENOMEM;
    }
    /* Id 0 is the unknown one; it is in no index, so that nothing else finds it. */
    store->functions[0] = (struct stored_function){.name = name};
    store->files[0] = (struct stored_file){0};
    store->function_count = store->file_count = 1;
    return 0;
}

void store_free(struct store *store)
{
    pthread_rwlock_destroy(&store->lock);
    string_table_free(&store->strings);
    free(store->functions);
    free(store->files);
    free(store->locations);
    free(store->frames);
    index_clear(&store->function_index);
    index_clear(&store->file_index);
}

static size_t measure(const struct store *store)
{
    return store->strings.bytes + store->function_capacity * sizeof *store->functions +
           store->file_capacity * sizeof *store->files +
           store->location_capacity * sizeof *store->locations +
           store->frame_capacity * sizeof *store->frames +
           (store->function_index.capacity + store->file_index.capacity +
            store->strings.index.capacity) *
               sizeof(struct index_slot);
}

/* Ends a change. Its size is told apart: the sampling path asks for it, and waits for no lock. */
static void unlock_changed(struct store *store)
{
    atomic_store_explicit(&store->bytes, measure(store), memory_order_relaxed);
    pthread_rwlock_unlock(&store->lock);
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* A few bytes of a file may be many long names: who made it chose them. */
static int intern_cut(struct store *store, const char *name, uint32_t *ret_id)
{
    char cut[STORED_NAME_BYTES_MAX + 1];
    size_t length = STORED_NAME_BYTES_MAX - strlen(ELLIPSIS);
    for (int i = 0; i < 3 && continues_character(name[length]); i++) /* UTF-8 */
        length--;
    int bytes = snprintf(cut, sizeof cut, "%.*s" ELLIPSIS, (int)length, name);
    return string_table_intern(&store->strings, cut, (size_t)bytes, ret_id);
}

static int intern(struct store *store, const char *name, uint32_t *ret_id)
{
    size_t length = strnlen(name, STORED_NAME_BYTES_MAX + 1);
    return length > STORED_NAME_BYTES_MAX
               ? intern_cut(store, name, ret_id)
               : string_table_intern(&store->strings, name, length, ret_id);
}

static int add_function(struct store *store, const char *name, struct stored_function function,
                        uint32_t *ret_id)
{
    int error = intern(store, name, &function.name);
    if (error)
        return error;
    struct wanted_function wanted = {store, function};
    uint64_t hash = function_hash(&function);
    uint32_t id = index_find(&store->function_index, hash, function_equal, &wanted);
    if (id == INDEX_EMPTY) {
        if (array_reserve(&store->functions, &store->function_capacity, store->function_count + 1,
                          sizeof *store->functions))
            return -ENOMEM;
        id = (uint32_t)store->function_count;
        error = index_add(&store->function_index, hash, id, rehash_function, store);
        if (error)
            return error;
        store->functions[store->function_count++] = function;
    }
    *ret_id = id;
    return 0;
}

int store_add_function(struct store *store, const char *name, uint32_t module, uint32_t file,
                       uint32_t line, uint32_t *ret_id)
{
    pthread_rwlock_wrlock(&store->lock);
    struct stored_function function = {.module = module, .file = file, .line = line};
    int error = add_function(store, name, function, ret_id);
    unlock_changed(store);
    return error;
}

static void note_md5(struct stored_file *file, const unsigned char *md5)
{
    if (file->md5_state == FILE_MD5_UNKNOWN) {
        file->md5_state = FILE_MD5_KNOWN;
        memcpy(file->md5, md5, MD5_BYTES);
    } else if (memcmp(file->md5, md5, MD5_BYTES) != 0) {
        file->md5_state = FILE_MD5_DISPUTED;
    }
}

static int add_file(struct store *store, const char *path, const char *named, const char *directory,
                    uint32_t module, const unsigned char *md5, uint32_t *ret_id)
{
    struct stored_file file = {.module = module};
    int error = intern(store, path, &file.path);
    if (!error)
        error = intern(store, named, &file.named);
    if (!error)
        error = intern(store, directory, &file.directory);
    if (error)
        return error;

    struct wanted_file wanted = {store, file};
    if (path[0] == '/')
        wanted.identity.directory = 0;
    uint64_t hash = file_hash(&wanted.identity);
    uint32_t id = index_find(&store->file_index, hash, file_equal, &wanted);
    if (id == INDEX_EMPTY) {
        if (array_reserve(&store->files, &store->file_capacity, store->file_count + 1,
                          sizeof *store->files))
            return -ENOMEM;
        id = (uint32_t)store->file_count;
        error = index_add(&store->file_index, hash, id, rehash_file, store);
        if (error)
            return error;
        store->files[store->file_count++] = file;
    }
    if (md5)
        note_md5(&store->files[id], md5);
    *ret_id = id;
    return 0;
}

int store_add_file(struct store *store, const char *path, const char *directory, uint32_t module,
                   const unsigned char *md5, uint32_t *ret_id)
{
    pthread_rwlock_wrlock(&store->lock);
    int error = add_file(store, path, path, directory, module, md5, ret_id);
    unlock_changed(store);
    return error;
}

int store_add_named_file(struct store *store, const char *named, const char *directory,
                         uint32_t module, const unsigned char *md5, uint32_t *ret_id)
{
    _cleanup_free_ char *path = strdup(named);
    if (!path)
        return -ENOMEM;
    path_normalise(path);
    pthread_rwlock_wrlock(&store->lock);
    int error = add_file(store, path, named, directory, module, md5, ret_id);
    unlock_changed(store);
    return error;
}

static int reserve_location(struct store *store, uint32_t location)
{
    size_t wanted = (size_t)location + 1;
    if (array_reserve(&store->locations, &store->location_capacity, wanted,
                      sizeof *store->locations))
        return -ENOMEM;
    while (store->location_count < wanted)
        store->locations[store->location_count++] =
            (struct stored_location){.status = SYMBOL_PENDING};
    return 0;
}

static int publish(struct store *store, uint32_t location, const struct frame *frames, size_t count,
                   enum symbol_status status)
{
    int error = reserve_location(store, location);
    if (error)
        return error;
    struct stored_location *stored = &store->locations[location];
    if (count > stored->count) {
        if (store->frame_count + count > UINT32_MAX ||
            array_reserve(&store->frames, &store->frame_capacity, store->frame_count + count,
                          sizeof *store->frames))
            return -ENOMEM;
        stored->first = (uint32_t)store->frame_count;
        store->frame_count += count;
    }
    memcpy(store->frames + stored->first, frames, count * sizeof *frames);
    stored->count = (uint16_t)count;
    stored->status = (uint8_t)status;
    store->generation++;
    return 0;
}

int store_publish(struct store *store, uint32_t location, const struct frame *frames, size_t count,
                  enum symbol_status status)
{
    pthread_rwlock_wrlock(&store->lock);
    int error = publish(store, location, frames, count, status);
    unlock_changed(store);
    return error;
}

int store_set_status(struct store *store, uint32_t location, enum symbol_status status)
{
    pthread_rwlock_wrlock(&store->lock);
    int error = reserve_location(store, location);
    if (!error) {
        store->locations[location].status = (uint8_t)status;
        store->generation++;
    }
    unlock_changed(store);
    return error;
}

size_t store_bytes(const struct store *store)
{
    return atomic_load_explicit(&store->bytes, memory_order_relaxed);
}
