/* Works below a large frame on a new stack, most pages of which nobody has touched. */
#include <pthread.h>

#include "target.h"

#define UNIT 20000
#define ROOM_BYTES 12000

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT);
    return value;
}

static OPAQUE uint64_t large(uint64_t value)
{
    volatile unsigned char room[ROOM_BYTES];
    room[0] = (unsigned char)value;
    value = work(value);
    BARRIER(value);
    return value + room[0];
}

static void *run(void *user)
{
    uint64_t value = 1;
    (void)user;
    for (;;)
        value = large(value);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    target_start(argc, argv);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
}
