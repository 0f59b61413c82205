/*
 * Distinct raw frames, numbered from 0 in the order in which they were first seen. Append-only, and
 * nothing moves: one writer, and any number of readers that read the count first and then only
 * below it, without a lock. What is known of code (its symbols) goes by these numbers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lprofd/stack.h"

struct stack_locations;

/* With one reference. 0 or -ENOMEM. */
int stack_locations_new(struct stack_locations **ret_locations);
/* Anyone: one more reference, and one less; NULL is ignored. The last one frees. */
struct stack_locations *stack_locations_ref(struct stack_locations *locations);
void stack_locations_unref(struct stack_locations *locations);

/* Writer only: the number of this frame, added if new. 0 or -ENOMEM. */
int stack_locations_find(struct stack_locations *locations, const struct raw_frame *frame,
                         uint32_t *ret_location);
/* Writer, for what is only read from now on: the next one, as it is. 0 or -ENOMEM. */
int stack_locations_append(struct stack_locations *locations, const struct raw_frame *frame);

/* Readers: the published count, and items below it. O(1). */
uint32_t stack_locations_count(const struct stack_locations *locations);
struct raw_frame stack_locations_get(const struct stack_locations *locations, uint32_t location);

/* Writer: memory held, in bytes. */
size_t stack_locations_bytes(const struct stack_locations *locations);
