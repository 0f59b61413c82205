// Most of the time goes into throwing: samples are taken in the middle of unwinding.
#include <stdexcept>
#include <string>

#include "target.h"

template <typename Depth> OPAQUE int descend(Depth depth, int value)
{
    if (depth == 0)
        throw std::runtime_error(std::to_string(value)); /* known: throw */
    return descend(depth - 1, value) + 1;                /* known: deeper */
}

static OPAQUE int attempt(int value)
{
    try {
        return descend<unsigned>(10, value); /* known: try */
    } catch (const std::exception &error) {
        return error.what()[0];
    }
}

int main(int argc, char **argv)
{
    unsigned sum = 0;
    target_start(argc, argv);
    for (int i = 0;; i = (i + 1) % 1000) {
        sum += (unsigned)attempt(i); /* known: call */
        BARRIER(sum);
    }
}
