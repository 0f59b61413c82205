/*
 * Makes what is kept of a unit: asks the unit at every address where its answer can change. In
 * steps of a few milliseconds, because whoever waits for a name comes first.
 */
#pragma once

#include "symbol/unit.h"

struct stored_unit_build;

/*
 * Decodes the unit anew. The source, its image included, must outlive the build. 0, -ENOMEM,
 * -EBADMSG when the unit is broken, or -ENOTSUP when not all that it says is in the debug file: a
 * part of it is in another one (.dwo), or cannot be read.
 */
int stored_unit_build_new(const struct unit_source *source, const struct unit_header *header,
                          struct stored_unit_build **ret_build);
void stored_unit_build_free(struct stored_unit_build *build);

/*
 * Goes on. 0 when it is complete, -EAGAIN when it is not, -ENOMEM, or -ENOTSUP when it cannot be
 * kept: it is too large or takes too long, or a bound on decoding made answers depend on their
 * order.
 */
int stored_unit_build_step(struct stored_unit_build *build);

/* Of a complete one: for stored_unit_open(); the caller frees them. 0, -ENOMEM or -ENOTSUP. */
int stored_unit_build_finish(const struct stored_unit_build *build, unsigned char **ret_bytes,
                             size_t *ret_length);
