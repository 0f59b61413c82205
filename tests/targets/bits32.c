/* A 32-bit program, without a C library so that it needs no 32-bit one. */
void _start(void);

void _start(void)
{
    for (volatile unsigned turns = 0;; turns++)
        continue;
}
