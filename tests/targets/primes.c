/* The prime generator of profiler tutorials: trial division, two inner lines take ~99 %. */
#include "target.h"

#define COUNT 10000

static OPAQUE unsigned generate(unsigned *primes, unsigned count)
{
    unsigned found = 0, i;
    for (unsigned candidate = 2; found < count; candidate++) {
        for (i = 0; i < found; i++)         /* known: loop */
            if (candidate % primes[i] == 0) /* known: divide */
                break;
        if (i == found)
            primes[found++] = candidate;
    }
    return primes[count - 1];
}

int main(int argc, char **argv)
{
    static unsigned primes[COUNT];
    unsigned last;
    target_start(argc, argv);
    do
        last = generate(primes, COUNT);
    while (last == 104729); /* the 10,000th prime */
    fprintf(stderr, "wrong prime %u\n", last);
    return 1;
}
