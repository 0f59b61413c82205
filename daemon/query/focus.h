/* The focus: a frame that a stack must contain to be counted. */
#pragma once

#include "lprofd/query.h"

/*
 * Says for each node of the view whether its stack contains options->focus, which may be
 *   a function's demangled name, anywhere on the stack;
 *   "file:line", where `file` is the whole path or its last components, anywhere on the stack;
 *   "a;b;c", the names from the root-most frame on, as a flame graph with the same options->inlines
 *   shows them.
 * Names may contain ';' and ':' themselves (Rust's "[u8; 4]"): each reading that fits is taken.
 * 0, -ENOMEM, or -EINVAL for an empty name, an empty path element or line 0. O(nodes).
 */
int query_focus_mark(const struct profile_view *view, const struct query_options *options,
                     unsigned char **ret_nodes);
