/* Anonymous mappings that ask for transparent huge pages (madvise(2), MADV_HUGEPAGE). */
#include "base/pages.h"

#include <errno.h>
#include <sys/mman.h>

int pages_get(size_t length, struct pages *ret_pages)
{
    void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return -ENOMEM;
    madvise(bytes, length, MADV_HUGEPAGE); /* small pages do as well, later */
    *ret_pages = (struct pages){bytes, length};
    return 0;
}

void pages_free(struct pages *pages)
{
    if (pages->bytes)
        munmap(pages->bytes, pages->length);
    *pages = (struct pages){0};
}
