/* Fetches debug files and sources from debuginfod servers, through elfutils' client library. */
#include "symbol/downloader.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/elf_reader.h"

/* What one transfer may take; DEBUGINFOD_MAXSIZE and _MAXTIME can only make it less. */
#define DEBUG_BYTES_MAX (UINT64_C(2) << 30)
#define SOURCE_BYTES_MAX (UINT64_C(100) << 20)
#define TRANSFER_NS_MAX (300 * NS_PER_SECOND)

/* The functions of libdebuginfod.so.1 that are used (debuginfod_find_debuginfo(3)). */
struct downloader {
    void *library; /* owned */
    debuginfod_client *client;
    __typeof__(&debuginfod_begin) begin;
    __typeof__(&debuginfod_end) end;
    __typeof__(&debuginfod_find_debuginfo) find_debug_file;
    __typeof__(&debuginfod_find_source) find_source;
    __typeof__(&debuginfod_set_progressfn) set_progress;
    __typeof__(&debuginfod_set_user_data) set_user_data;
};

/* The bounds of the transfer that runs, for the progress function. */
struct bounds {
    struct transfer *transfer;
    uint64_t bytes_max, until_ns;
    int error; /* why it was given up */
};

bool downloader_is_wanted(void)
{
    const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR);
    return urls && urls[0];
}

static bool find_functions(struct downloader *downloader)
{
    struct {
        const char *name;
        void *function;
    } const wanted[] = {
        {"debuginfod_begin", &downloader->begin},
        {"debuginfod_end", &downloader->end},
        {"debuginfod_find_debuginfo", &downloader->find_debug_file},
        {"debuginfod_find_source", &downloader->find_source},
        {"debuginfod_set_progressfn", &downloader->set_progress},
        {"debuginfod_set_user_data", &downloader->set_user_data},
    };
    for (size_t i = 0; i < array_length(wanted); i++) {
        void *symbol = dlsym(downloader->library, wanted[i].name);
        if (!symbol)
            return false;
        *(void **)wanted[i].function = symbol;
    }
    return true;
}

static void free_downloader(struct downloader **downloader)
{
    downloader_free(*downloader);
}

int downloader_new(struct downloader **ret_downloader)
{
    _cleanup_(free_downloader) struct downloader *downloader = calloc(1, sizeof *downloader);
    if (!downloader)
        return -ENOMEM;
    /* Never unloaded: libcurl and the TLS library below it do not undo all that they set up. */
    downloader->library = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!downloader->library || !find_functions(downloader))
        return -ELIBACC;
    downloader->client = downloader->begin();
    if (!downloader->client)
        return -ENOMEM;
    *ret_downloader = take_pointer(downloader);
    return 0;
}

void downloader_free(struct downloader *downloader)
{
    if (!downloader)
        return;
    if (downloader->client)
        downloader->end(downloader->client);
    if (downloader->library)
        dlclose(downloader->library);
    free(downloader);
}

/*
 * Called several times a second while a transfer runs; `done` is a number of bytes once they come,
 * and a small count of calls before. `total` is 0 also when the server does not tell. Anything but
 * 0 ends the transfer.
 */
static int on_progress(struct bounds *bounds, bool has_begun, long done, long total)
{
    uint64_t bytes = has_begun && done > 0 ? (uint64_t)done : 0;
    atomic_store(&bounds->transfer->bytes, bytes);
    if (atomic_load(&bounds->transfer->cancelled))
        bounds->error = -ECANCELED;
    else if (bytes > bounds->bytes_max || (total > 0 && (uint64_t)total > bounds->bytes_max))
        bounds->error = -EFBIG;
    else if (clock_monotonic_ns() > bounds->until_ns)
        bounds->error = -ETIMEDOUT;
    return bounds->error;
}

/*
 * The client leads to the bounds by a function of the library, which only was found at run time,
 * and has a URL as soon as bytes come from there.
 */
static int progress(debuginfod_client *client, long done, long total)
{
    void *library = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_NOLOAD);
    if (!library)
        return 0;
    __typeof__(&debuginfod_get_user_data) get_user_data;
    __typeof__(&debuginfod_get_url) get_url;
    *(void **)&get_user_data = dlsym(library, "debuginfod_get_user_data");
    *(void **)&get_url = dlsym(library, "debuginfod_get_url");
    struct bounds *bounds = get_user_data ? get_user_data(client) : NULL;
    bool has_begun = get_url && get_url(client);
    dlclose(library);
    return bounds ? on_progress(bounds, has_begun, done, total) : 0;
}

static void begin_transfer(struct downloader *downloader, struct bounds *bounds)
{
    atomic_store(&bounds->transfer->bytes, 0);
    bounds->until_ns = clock_monotonic_ns() + TRANSFER_NS_MAX;
    downloader->set_user_data(downloader->client, bounds);
    downloader->set_progress(downloader->client, progress);
}

/* `result` is the library's: a descriptor, or -errno. */
static int end_transfer(struct downloader *downloader, const struct bounds *bounds, int result,
                        int *ret_fd)
{
    downloader->set_user_data(downloader->client, NULL);
    if (bounds->error) {
        if (result >= 0)
            close(result);
        return bounds->error;
    }
    if (result < 0)
        return result == -ENOSYS ? -ENOENT : result;
    /* A copy that was in the cache already was not bounded while it came. */
    struct stat status;
    if (fstat(result, &status) || !S_ISREG(status.st_mode) || status.st_size < 0 ||
        (uint64_t)status.st_size > bounds->bytes_max) {
        close(result);
        return -EFBIG;
    }
    *ret_fd = result;
    return 0;
}

static int fetch_debug_file(struct downloader *downloader, const unsigned char *build_id,
                            size_t build_id_bytes, struct transfer *transfer, int *ret_fd)
{
    struct bounds bounds = {.transfer = transfer, .bytes_max = DEBUG_BYTES_MAX};
    begin_transfer(downloader, &bounds);
    int result =
        downloader->find_debug_file(downloader->client, build_id, (int)build_id_bytes, NULL);
    return end_transfer(downloader, &bounds, result, ret_fd);
}

/* Without its dwz file a debug file lacks names, but has its lines: none is no error. */
static int fetch_alternate(struct downloader *downloader, int fd, struct transfer *transfer)
{
    struct elf_reader *file;
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes;
    _cleanup_free_ char *path = NULL;
    int alternate_fd = -1;
    if (elf_reader_open(fd, &file))
        return -1;
    if (!elf_reader_alternate_link(file, &path, build_id, &build_id_bytes) && build_id_bytes)
        fetch_debug_file(downloader, build_id, build_id_bytes, transfer, &alternate_fd);
    elf_reader_free(file);
    return alternate_fd;
}

int downloader_debug_file(struct downloader *downloader, const unsigned char *build_id,
                          size_t build_id_bytes, struct transfer *transfer, int *ret_fd,
                          int *ret_alternate_fd)
{
    int error = fetch_debug_file(downloader, build_id, build_id_bytes, transfer, ret_fd);
    if (!error)
        *ret_alternate_fd = fetch_alternate(downloader, *ret_fd, transfer);
    return error;
}

int downloader_source(struct downloader *downloader, const unsigned char *build_id,
                      size_t build_id_bytes, const char *name, struct transfer *transfer,
                      char **ret_path)
{
    struct bounds bounds = {.transfer = transfer, .bytes_max = SOURCE_BYTES_MAX};
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int fd = -1;
    begin_transfer(downloader, &bounds);
    int result =
        downloader->find_source(downloader->client, build_id, (int)build_id_bytes, name, &path);
    int error = end_transfer(downloader, &bounds, result, &fd);
    if (error)
        return error;
    *ret_path = take_pointer(path);
    return 0;
}
