/* Its debug information claims that the hot function was written in /etc/shadow. */
#include "target.h"

int main(int argc, char **argv)
{
    uint64_t value = 1;
    target_start(argc, argv);
#line 1 "/etc/shadow"
    for (;;)
        value = STEP(value);
}
