/* The texts of sources as they were when the session first met them. */
#include "session/kept_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/compression.h"
#include "base/negative_errno.h"
#include "base/read_at.h"
#include "session/session_private.h"

#define KEPT_MAX_BYTES ((size_t)8 << 20)       /* packed, of all files */
#define KEPT_FILE_MAX_BYTES ((size_t)16 << 20) /* of one text */
#define KEPT_FILES_MAX 4096
/* Names of new code do not wait for more files than that. */
#define FILES_AT_ONCE 8
/* Of all texts: what is packed in vain takes time, too. */
#define READ_MAX_BYTES ((uint64_t)256 << 20)

void kept_sources_init(struct kept_sources *kept)
{
    *kept = (struct kept_sources){.next = 1};
    pthread_mutex_init(&kept->mutex, NULL);
}

void kept_sources_destroy(struct kept_sources *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        free(kept->items[i].packed);
    free(kept->items);
    pthread_mutex_destroy(&kept->mutex);
}

/* Takes the packed text over. 0 or -ENOMEM. */
static int add(struct kept_sources *kept, struct kept_source source)
{
    pthread_mutex_lock(&kept->mutex);
    int error = array_reserve(&kept->items, &kept->capacity, kept->count + 1, sizeof *kept->items);
    if (!error)
        kept->items[kept->count++] = source;
    pthread_mutex_unlock(&kept->mutex);
    if (!error)
        kept->kept_bytes += source.packed_bytes;
    return error;
}

static int pack(struct kept_sources *kept, uint32_t file, const char *text, size_t bytes)
{
    _cleanup_free_ void *packed = NULL;
    size_t packed_bytes = 0;
    int error = compression_pack(text, bytes, COMPRESSION_FAST, &packed, &packed_bytes);
    if (!error && packed_bytes > KEPT_MAX_BYTES - kept->kept_bytes)
        error = -ENOSPC;
    if (!error)
        error = add(kept, (struct kept_source){file, bytes, packed_bytes, packed});
    if (!error)
        packed = NULL; /* it is kept */
    return error;
}

/* Any failure only means that there is no copy. */
static void keep(struct session *session, uint32_t file)
{
    _cleanup_close_ int fd = -1;
    bool stale;
    struct stat status;
    if (session_find_source(session, file, &fd, &stale) || stale || fstat(fd, &status) < 0 ||
        status.st_size < 0 || (uint64_t)status.st_size > KEPT_FILE_MAX_BYTES)
        return;
    size_t bytes = (size_t)status.st_size;
    session->kept_sources.read_bytes += bytes;
    _cleanup_free_ char *text = malloc(bytes + 1);
    if (text && read_at(fd, text, bytes, 0) == 0)
        pack(&session->kept_sources, file, text, bytes);
}

static uint32_t count_files(const struct session *session)
{
    symbols_lock_shared(session->symbols);
    uint32_t count = symbols_file_count(session->symbols);
    symbols_unlock(session->symbols);
    return count;
}

void session_keep_sources(struct session *session, bool all)
{
    struct kept_sources *kept = &session->kept_sources;
    uint32_t end = count_files(session);
    for (int i = 0; kept->next < end && (all || i < FILES_AT_ONCE); i++) {
        if (kept->looked_at == KEPT_FILES_MAX || kept->read_bytes > READ_MAX_BYTES)
            return;
        kept->looked_at++;
        keep(session, kept->next++);
    }
}

int session_open_text(const char *text, size_t bytes, int *ret_fd)
{
    _cleanup_close_ int fd = memfd_create("source", MFD_CLOEXEC);
    if (fd < 0)
        return negative_errno();
    for (size_t done = 0; done < bytes;) {
        ssize_t count = write(fd, text + done, bytes - done);
        if (count < 0)
            return negative_errno();
        done += (size_t)count;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return negative_errno();
    *ret_fd = take_fd(&fd);
    return 0;
}

/* The kept text, which is never freed before the session is: copied out of the lock. */
static int find(struct kept_sources *kept, uint32_t file, struct kept_source *ret_source)
{
    int error = -ENOENT;
    pthread_mutex_lock(&kept->mutex);
    for (size_t i = 0; i < kept->count && error; i++)
        if (kept->items[i].file == file) {
            *ret_source = kept->items[i];
            error = 0;
        }
    pthread_mutex_unlock(&kept->mutex);
    return error;
}

static int open_kept(struct session *session, uint32_t file, int *ret_fd)
{
    struct kept_source source;
    int error = find(&session->kept_sources, file, &source);
    if (error)
        return error;
    _cleanup_free_ char *text = malloc(source.bytes + 1);
    if (!text)
        return -ENOMEM;
    error = compression_inflate(COMPRESSION_ZSTD, source.packed, source.packed_bytes, text,
                                source.bytes);
    return error ? error : session_open_text(text, source.bytes, ret_fd);
}

int session_open_source(struct session *session, uint32_t file, int *ret_fd,
                        enum source_origin *ret_origin)
{
    _cleanup_close_ int fd = -1;
    bool stale = false;
    int error = session_find_source(session, file, &fd, &stale);
    if ((error || stale) && open_kept(session, file, ret_fd) == 0) {
        *ret_origin = SOURCE_KEPT;
        return 0;
    }
    if (error)
        return error;
    *ret_fd = take_fd(&fd);
    *ret_origin = stale ? SOURCE_STALE : SOURCE_FOUND;
    return 0;
}
