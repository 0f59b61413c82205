/* An arbitrary jitdump, read in two pieces as it grows: as if read at once. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "symbol/jit_name.h"
#include "symbol/jitdump.h"

#define ADDRESSES 64

static void grow(struct jitdump *dump, int fd, const uint8_t *bytes, size_t length)
{
    bool changed;
    fuzz_check(write(fd, bytes, length) == (ssize_t)length);
    fuzz_check(jitdump_refresh(dump, &changed) == 0);
}

static bool same_text(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

static void look(const struct jitdump *grown, const struct jitdump *whole, uint64_t ip,
                 uint64_t time_ns)
{
    struct jit_place place, same;
    bool found = jitdump_find(whole, ip, time_ns, &place);
    fuzz_check(jitdump_find(grown, ip, time_ns, &same) == found);
    if (!found)
        return;
    fuzz_check(same_text(place.name, same.name) && same_text(place.file, same.file));
    fuzz_check(place.line == same.line && place.column == same.column);
    struct jit_name parsed = {0};
    if (jit_name_parse(place.name, &parsed) == 0) {
        fuzz_check(parsed.line > 0 && parsed.function[0] && parsed.path);
        jit_name_free(&parsed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);
    fuzz_check(fd >= 0);
    struct jitdump grown, whole;
    jitdump_init(&grown, fd);
    jitdump_init(&whole, fd);
    size_t half = length ? bytes[length - 1] % length : 0;
    grow(&grown, fd, bytes, half);
    grow(&grown, fd, bytes + half, length - half);
    grow(&whole, fd, bytes, 0);
    /* Times of the processor's counter depend on when it was read. */
    whole.by_counter = grown.by_counter = false;
    for (uint64_t i = 0; i < ADDRESSES; i++)
        look(&grown, &whole, i * 16, i % 4 * 10);
    for (size_t i = 0; i < whole.code_count && i < ADDRESSES; i++)
        look(&grown, &whole, whole.codes[i].start, whole.codes[i].time);
    jitdump_free(&grown);
    jitdump_free(&whole);
    close(fd);
    return 0;
}
