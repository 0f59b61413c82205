/* Arbitrary DWARF expressions over arbitrary registers, as libdw would hand them on. */
#include "fuzz.h"

#include "unwind/expression.h"

#define OPERATIONS_MAX 256

static bool read_memory(const void *user, uint64_t address, uint64_t *ret_value)
{
    (void)user;
    *ret_value = address * 3;
    return address % 2 == 0;
}

/* One byte of operation, one to choose registers' validity, eight for each of the two operands. */
static Dwarf_Op operation(const uint8_t *bytes)
{
    Dwarf_Op op = {.atom = bytes[0]};
    memcpy(&op.number, bytes + 1, sizeof op.number);
    memcpy(&op.number2, bytes + 9, sizeof op.number2);
    return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const size_t size = 17;
    if (length < 8)
        return 0;
    struct registers registers;
    memcpy(&registers.valid, bytes, sizeof registers.valid);
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        registers.values[i] = UINT64_MAX / (i + 1);
    bytes += 8;
    length -= 8;

    Dwarf_Op ops[OPERATIONS_MAX];
    size_t count = 0;
    for (; count < OPERATIONS_MAX && length >= size; bytes += size, length -= size)
        ops[count++] = operation(bytes);
    struct expression_input input = {.registers = &registers, .cfa = 64, .read = read_memory};
    uint64_t value = 42;
    if (expression_evaluate(ops, count, &input, &value) == EXPRESSION_FAILED)
        fuzz_check(value == 42);
    return 0;
}
