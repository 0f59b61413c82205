/*
 * When distinct stacks fill their share of memory, the oldest samples go, and with them the stacks
 * that only they had: a smaller trie takes the place of the full one. To find out what goes, and
 * to copy the rest, takes a second for a million nodes: that is done by a thread of its own while
 * sampling goes on, and the writer only adds what came meanwhile.
 */
#pragma once

#include "aggregate/buckets.h"
#include "lprofd/trie.h"

struct compaction;

/* Writer: begins to make a trie of at most half as many nodes. 0, -ENOMEM or -EAGAIN. */
int compaction_start(struct stack_trie *trie, struct bucket_store *buckets,
                     struct compaction **ret_compaction);

/* Never blocks. */
bool compaction_is_done(const struct compaction *compaction);

/*
 * Writer, right after a seal: waits until it is done, drops the oldest buckets, and gives the rest
 * the nodes of the smaller trie, to which *ret_trie is the caller's reference. Whoever takes
 * buckets and trie together must not do so during this call. 0, or -ENOMEM and nothing changed.
 */
int compaction_finish(struct compaction *compaction, struct stack_trie **ret_trie);

/* Waits for the thread; NULL is ignored. */
void compaction_free(struct compaction *compaction);
