/* Fetches debug files and sources from debuginfod servers, through elfutils' client library. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The library is loaded when it is first wanted, as elfutils itself does: libcurl below it costs
 * 15 ms of start-up and several megabytes, and most sessions never ask a server.
 */
struct downloader;

/* One transfer as other threads see it. */
struct transfer {
    atomic_bool cancelled;  /* set it to end the transfer soon */
    _Atomic uint64_t bytes; /* received so far */
};

/* True when DEBUGINFOD_URLS names a server (debuginfod-client(7)). */
bool downloader_is_wanted(void);

/* -ELIBACC when libdebuginfod is not installed, -ENOMEM. One downloader serves one thread. */
int downloader_new(struct downloader **ret_downloader);
void downloader_free(struct downloader *downloader);

/*
 * Fetches the separate debug file of a module and, when that refers to a dwz file, this too:
 * *ret_alternate_fd is -1 when there is none. Blocks for minutes at most; the caller owns the
 * descriptors. -ENOENT when no server has it, -ECANCELED, -EFBIG, -ETIMEDOUT, or another -errno.
 */
int downloader_debug_file(struct downloader *downloader, const unsigned char *build_id,
                          size_t build_id_bytes, struct transfer *transfer, int *ret_fd,
                          int *ret_alternate_fd);

/* The same for a source, named as the debug information does; its copy's path is malloc'ed. */
int downloader_source(struct downloader *downloader, const unsigned char *build_id,
                      size_t build_id_bytes, const char *name, struct transfer *transfer,
                      char **ret_path);
