/*
 * Calls through stubs, as programs and shared libraries for aarch64 have them. Made with
 *
 *   layout=-z,max-page-size=4096,-z,noseparate-code,-z,norelro
 *   flags="-O2 -nostdlib -s -Wl,--build-id=none,$layout"
 *   gcc=aarch64-linux-gnu-gcc
 *   $gcc $flags -shared -fPIC stubs.c -o stubs-plain
 *   $gcc $flags -shared -fPIC -Wl,-z,pac-plt stubs.c -o stubs-pac
 *   $gcc $flags -shared -fPIC -DCALLED stubs.c -o libcalled.so
 *   $gcc $flags -no-pie -mbranch-protection=standard -Wl,-z,force-bti,-z,pac-plt,-e,all stubs.c \
 *       libcalled.so -o stubs-bti
 *
 * test_plt.c expects what `aarch64-linux-gnu-objdump -d -j .plt` says of each.
 */
int first(void);
int second(void);
int third(void);
int all(void);

#ifdef CALLED
int first(void)
{
    return 1;
}

int second(void)
{
    return 2;
}

int third(void)
{
    return 3;
}
#else
int all(void)
{
    return first() + second() + third();
}
#endif
