/* Documents that could not be completed are refused as a whole, and cost nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/json.h"

static void a_part_that_is_missing_spoils_the_whole_document(void **state)
{
    (void)state;
    const struct text failed = {.failed = true}; /* memory ran out while it was written */
    cJSON *document = cJSON_CreateObject();
    cJSON *part = json_add_object(json_add_array(document, "rows") ? document : NULL, "part");
    json_add_u64(part, "before", 1);
    json_add_raw(part, "text", &failed);
    json_add_u64(part, "after", 2);
    struct text text = {0};
    assert_int_equal(json_print(document, &text), -ENOMEM);
    text_free(&text);
    cJSON_Delete(document); /* whose keys are constants still */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_is_missing_spoils_the_whole_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
