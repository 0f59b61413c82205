/* Rules for frames of Go code without call frame information, by the sizes that its runtime knows.
 */
#pragma once

#include "unwind/cfi.h"

struct go_frames;

/* 0, or -ENOENT and the like when the module is no Go program. */
int go_frames_open(const struct module *module, struct go_frames **ret_frames);
void go_frames_free(struct go_frames *frames);
size_t go_frames_bytes(const struct go_frames *frames);

/* CFI_RULE or CFI_ROOT; CFI_NONE when it is not Go's code. `frames` may be NULL. */
struct cfi_rule go_frames_rule(const struct go_frames *frames,
                               const struct architecture *architecture, uint64_t vaddr);
