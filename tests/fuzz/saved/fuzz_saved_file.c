/* Arbitrary bytes as a saved profile: refused with a reason, or a profile. */
#include "fuzz.h"

#include "saved/saved_profile.h"

#define LIMIT_BYTES (UINT64_C(32) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct saved_profile profile;
    struct failure failure = {0};
    int error = saved_profile_decode(bytes, length, LIMIT_BYTES, &profile, &failure);
    if (error) {
        fuzz_check(error < 0 && failure.error == error && failure.text[0]);
        return 0;
    }
    for (size_t i = 0; i < profile.source_count; i++) {
        char *text = NULL;
        if (saved_source_unpack(&profile.sources[i], &text) == 0)
            fuzz_touch(text, profile.sources[i].bytes);
        free(text);
    }
    saved_profile_clear(&profile);
    return 0;
}
