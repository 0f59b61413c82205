/* Names for the ways in which a stack can end. */
#include "base/cleanup.h"
#include "lprofd/stack.h"

static const char *const names[STACK_END_COUNT] = {
    [STACK_END_ROOT] = "[root]",
    [STACK_END_TRUNCATED] = "[truncated stack]",
    [STACK_END_NO_CFI] = "[no unwind information]",
    [STACK_END_BAD_MEMORY] = "[damaged stack]",
    [STACK_END_UNMAPPED] = "[unmapped address]",
    [STACK_END_TOO_DEEP] = "[too deep]",
    [STACK_END_NO_USER] = "[no user registers]",
    [STACK_END_MEMORY_LIMIT] = "[callers not kept: memory limit]",
    [STACK_END_OTHER_STACK] = "[on another stack]",
    [STACK_END_NOT_PRESENT] = "[stack not in memory]",
};

const char *stack_end_name(enum stack_end end)
{
    return (size_t)end < array_length(names) ? names[end] : "[unknown]";
}
