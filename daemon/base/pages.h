/* Memory for one large thing, in large pages where the kernel gives them: faults cost time. */
#pragma once

#include <stddef.h>

struct pages {
    unsigned char *bytes; /* zeros at first; NULL when there is none */
    size_t length;
};

/* 0 or -ENOMEM. */
int pages_get(size_t length, struct pages *ret_pages);
void pages_free(struct pages *pages);
