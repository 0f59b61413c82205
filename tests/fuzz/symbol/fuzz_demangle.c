/* Arbitrary mangled names: libiberty must end, within bounds. */
#include "fuzz.h"

#include "symbol/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *symbol = fuzz_string(bytes, length), *name = NULL;
    fuzz_check(demangle(symbol, &name) == 0);
    fuzz_check(name);
    free(name);
    free(symbol);
    return 0;
}
