/* Arbitrary JSON bodies: taken with every value in its range, or refused with a reason. */
#include "fuzz.h"

#include "http/fields.h"
#include "http/json.h"
#include "http/utf8.h"

struct values {
    uint64_t pid, bytes;
    const char *choice;
};

static const char *const choices[] = {"auto", "cycles", "task-clock", NULL};

static const struct field fields[] = {
    {.name = "pid",
     .type = FIELD_U64,
     .min = 1,
     .max = 4194304,
     .required = true,
     .offset = offsetof(struct values, pid)},
    {.name = "stack_bytes",
     .type = FIELD_U64,
     .min = 512,
     .max = 65000,
     .multiple = 8,
     .offset = offsetof(struct values, bytes)},
    {.name = "event",
     .type = FIELD_CHOICE,
     .choices = choices,
     .offset = offsetof(struct values, choice)},
};

static void check_values(const struct values *values)
{
    fuzz_check(values->pid >= 1 && values->pid <= 4194304);
    fuzz_check(values->bytes >= 512 && values->bytes <= 65000 && values->bytes % 8 == 0);
    fuzz_check(values->choice == choices[0] || values->choice == choices[1] ||
               values->choice == choices[2]);
}

/* Any bytes can be made a JSON string that parses. */
static void check_string(const struct text *body)
{
    struct text json = {0};
    json_text_string(&json, body->bytes);
    fuzz_check(utf8_valid(json.bytes, json.length));
    cJSON *document = cJSON_ParseWithOpts(json.bytes, NULL, true);
    fuzz_check(cJSON_IsString(document));
    cJSON_Delete(document);
    text_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct text body = {.bytes = fuzz_string(bytes, length), .length = length};
    struct values values = {.pid = 1, .bytes = 512, .choice = choices[0]};
    struct reply reply = {0};
    if (fields_parse(&body, fields, sizeof fields / sizeof *fields, &values, &reply))
        check_values(&values);
    else
        fuzz_check(reply.status == 400 && reply.blob &&
                   utf8_valid(reply.blob->bytes, reply.blob->length));
    reply_clear(&reply);
    check_string(&body);

    struct text clean = {0};
    utf8_add(&clean, body.bytes, length);
    fuzz_check(utf8_valid(clean.bytes ? clean.bytes : "", clean.length));
    text_free(&clean);
    text_free(&body);
    return 0;
}
