/* Leaves a child that has ended unreaped, and prints its pid. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    printf("%d\n", child);
    fflush(stdout);
    for (;;)
        pause();
}
