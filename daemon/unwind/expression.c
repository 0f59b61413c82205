/* DWARF expressions as they occur in call frame information: no branches, so always finite. */
#include "unwind/expression.h"

#include <dwarf.h>

#define STACK_MAX 32

struct machine {
    const struct expression_input *input;
    uint64_t stack[STACK_MAX];
    unsigned depth;
    bool failed;
};

static void push(struct machine *machine, uint64_t value)
{
    if (machine->depth == STACK_MAX)
        machine->failed = true;
    else
        machine->stack[machine->depth++] = value;
}

static uint64_t pop(struct machine *machine)
{
    if (machine->depth == 0) {
        machine->failed = true;
        return 0;
    }
    return machine->stack[--machine->depth];
}

static void push_register(struct machine *machine, uint64_t number, uint64_t offset)
{
    const struct registers *registers = machine->input->registers;
    if (number >= REGISTER_COUNT || !registers_have(registers, (unsigned)number))
        machine->failed = true;
    else
        push(machine, registers->values[number] + offset);
}

static void dereference(struct machine *machine)
{
    uint64_t value = 0;
    if (!machine->input->read(machine->input->user, pop(machine), &value))
        machine->failed = true;
    push(machine, value);
}

static void pick(struct machine *machine, uint64_t index)
{
    if (index >= machine->depth)
        machine->failed = true;
    else
        push(machine, machine->stack[machine->depth - 1 - index]);
}

/* Two operands, of which the second was on top. */
static void binary(struct machine *machine, unsigned atom)
{
    uint64_t second = pop(machine), first = pop(machine);
    int64_t signed_first = (int64_t)first, signed_second = (int64_t)second;
    switch (atom) {
    case DW_OP_plus:
        return push(machine, first + second);
    case DW_OP_minus:
        return push(machine, first - second);
    case DW_OP_mul:
        return push(machine, first * second);
    case DW_OP_and:
        return push(machine, first & second);
    case DW_OP_or:
        return push(machine, first | second);
    case DW_OP_xor:
        return push(machine, first ^ second);
    case DW_OP_shl:
        return push(machine, second < 64 ? first << second : 0);
    case DW_OP_shr:
        return push(machine, second < 64 ? first >> second : 0);
    case DW_OP_eq:
        return push(machine, first == second);
    case DW_OP_ne:
        return push(machine, first != second);
    case DW_OP_ge:
        return push(machine, signed_first >= signed_second);
    case DW_OP_gt:
        return push(machine, signed_first > signed_second);
    case DW_OP_le:
        return push(machine, signed_first <= signed_second);
    case DW_OP_lt:
        return push(machine, signed_first < signed_second);
    default:
        machine->failed = true;
    }
}

static void step(struct machine *machine, const Dwarf_Op *op)
{
    unsigned atom = op->atom;
    if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
        return push(machine, atom - DW_OP_lit0);
    if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
        return push_register(machine, atom - DW_OP_breg0, op->number);
    switch (atom) {
    case DW_OP_bregx:
        return push_register(machine, op->number, op->number2);
    case DW_OP_addr:
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
        return push(machine, op->number);
    case DW_OP_plus_uconst:
        return push(machine, pop(machine) + op->number);
    case DW_OP_call_frame_cfa:
        return push(machine, machine->input->cfa);
    case DW_OP_deref:
        return dereference(machine);
    case DW_OP_dup:
        return pick(machine, 0);
    case DW_OP_over:
        return pick(machine, 1);
    case DW_OP_pick:
        return pick(machine, op->number);
    case DW_OP_drop:
        (void)pop(machine);
        return;
    case DW_OP_nop:
        return;
    default:
        return binary(machine, atom);
    }
}

enum expression_result expression_evaluate(const Dwarf_Op *ops, size_t count,
                                           const struct expression_input *input,
                                           uint64_t *ret_value)
{
    struct machine machine = {.input = input};
    enum expression_result result = EXPRESSION_ADDRESS;
    for (size_t i = 0; i < count && !machine.failed; i++) {
        if (ops[i].atom == DW_OP_stack_value) {
            result = EXPRESSION_VALUE;
        } else if (ops[i].atom == DW_OP_regx ||
                   (ops[i].atom >= DW_OP_reg0 && ops[i].atom <= DW_OP_reg31)) {
            uint64_t number =
                ops[i].atom == DW_OP_regx ? ops[i].number : (Dwarf_Word)ops[i].atom - DW_OP_reg0;
            push_register(&machine, number, 0);
            result = EXPRESSION_VALUE;
        } else {
            step(&machine, &ops[i]);
        }
    }
    uint64_t value = pop(&machine);
    if (machine.failed)
        return EXPRESSION_FAILED;
    *ret_value = value;
    return result;
}
