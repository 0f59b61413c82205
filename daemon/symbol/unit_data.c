/* Addresses that units name by their index. */
#include "symbol/unit_data.h"

bool unit_data_address(const struct unit_data *unit, uint64_t index, uint64_t *ret_vaddr)
{
    uint64_t offset;
    if (__builtin_mul_overflow(index, sizeof *ret_vaddr, &offset) ||
        __builtin_add_overflow(offset, unit->addresses_base, &offset))
        return false;
    struct reader reader = span_reader(unit->addresses, offset);
    uint64_t vaddr = reader_u64(&reader);
    if (reader.failed)
        return false;
    *ret_vaddr = vaddr;
    return true;
}
