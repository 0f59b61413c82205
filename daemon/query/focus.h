/* The focus: frames that a stack must, or must not, contain to be counted. */
#pragma once

#include "query/frames.h"

/*
 * Says for each node of the view whether its stack contains all of options->focus and nothing of
 * options->hide. Each may be
 *   a function's demangled name, anywhere on the stack;
 *   "file:line", where `file` is the whole path or its last components, anywhere on the stack;
 *   "a;b;c", the names from the root-most frame on, as a flame graph with the same options->inlines
 *   and hide_kernel shows them;
 *   "a;b;c;", the names down to the leaf: the stack ends in c, called by b, called by a.
 * In a path "\;" is a ';' of a name and "\\" a '\'. A name's own ';' may also stand for itself
 * (Rust's "[u8; 4]"), and each reading that fits is taken; a text that begins or ends with ';' is a
 * path and nothing else, in which every other ';' ends a name.
 * 0, -ENOMEM, or -EINVAL for an empty name, an empty path element or line 0. O(nodes) each.
 */
int query_focus_mark(const struct profile_view *view, const struct query_options *options,
                     unsigned char **ret_nodes);

/* Says for each of the frames whether it is `text`, a function or a file:line. As above. */
int query_focus_frames(const struct profile_view *view, const char *text,
                       const struct query_frames *frames, unsigned char **ret_matches);
