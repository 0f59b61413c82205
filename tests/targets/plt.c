/* Calls a library's tiny function through its stub in the procedure linkage table, all the time. */
#include "target.h"

int main(int argc, char **argv)
{
    target_start(argc, argv);
    for (long value = 1;;) {
        value = labs(value); /* known: call */
        BARRIER(value);
    }
}
