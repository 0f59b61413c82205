/* Parses kallsyms: "ffffffff81000000 T _stext", a tab and "[module]" at the end of a module's. */
#include "symbol/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "lprofd/privilege.h"

/* kallsyms has no sizes: a function ends where the next starts, and within reason. */
#define FUNCTION_BYTES_MAX (1u << 20)

struct kernel_parser {
    struct text names;    /* owned */
    struct range *ranges; /* owned */
    size_t count, capacity;
};

static int add_line(struct kernel_parser *parser, char *line)
{
    char *cursor;
    uint64_t vaddr = strtoull(line, &cursor, 16);
    if (vaddr == 0 || cursor[0] != ' ' || !cursor[1] || cursor[2] != ' ')
        return 0;
    char type = cursor[1];
    char *name = cursor + 3;
    if (!strchr("tTwWiI", type) || !name[0])
        return 0;
    char *tab = strchr(name, '\t');
    if (tab)
        *tab = ' ';
    if (parser->names.length > UINT32_MAX / 2 ||
        array_reserve(&parser->ranges, &parser->capacity, parser->count + 1,
                      sizeof *parser->ranges))
        return -ENOMEM;
    parser->ranges[parser->count] = (struct range){
        .start = vaddr,
        .value = (uint32_t)parser->names.length,
        .order = type == 'T' ? 2 : type == 't',
    };
    parser->count++;
    text_add(&parser->names, name, strlen(name) + 1);
    return parser->names.failed ? -ENOMEM : 0;
}

static int parse(FILE *file, const struct cancel *cancel, struct kernel_parser *parser)
{
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, file)) > 0) {
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        int error = cancel_is_wanted(cancel) ? -ECANCELED : add_line(parser, line);
        if (error)
            return error;
    }
    return parser->count ? 0 : -EPERM;
}

static void end_ranges(struct kernel_parser *parser)
{
    ranges_sort(parser->ranges, parser->count);
    uint64_t next = UINT64_MAX;
    for (size_t i = parser->count; i-- > 0;) {
        struct range *range = &parser->ranges[i];
        if (i + 1 < parser->count && parser->ranges[i + 1].start > range->start)
            next = parser->ranges[i + 1].start;
        range->end =
            next - range->start > FUNCTION_BYTES_MAX ? range->start + FUNCTION_BYTES_MAX : next;
    }
}

int kernel_symbols_read(const struct cancel *cancel, struct kernel_symbols *ret_symbols)
{
    int fd;
    int error = privilege_open_kallsyms(&fd);
    if (error)
        return error;
    _cleanup_file_ FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return -ENOMEM;
    }
    struct kernel_symbols symbols = {0};
    struct kernel_parser parser = {0};
    error = parse(file, cancel, &parser);
    if (!error) {
        end_ranges(&parser);
        error = range_map_build(parser.ranges, parser.count, &symbols.map);
    }
    free(parser.ranges);
    if (error) {
        text_free(&parser.names);
        return error;
    }
    symbols.name_bytes = parser.names.length;
    symbols.names = take_pointer(parser.names.bytes);
    *ret_symbols = symbols;
    return 0;
}

const char *kernel_symbols_find(const struct kernel_symbols *symbols, uint64_t vaddr)
{
    uint32_t name = range_map_find(&symbols->map, vaddr);
    return name == RANGE_NONE ? NULL : symbols->names + name;
}

size_t kernel_symbols_bytes(const struct kernel_symbols *symbols)
{
    return range_map_bytes(&symbols->map) + symbols->name_bytes;
}

void kernel_symbols_free(struct kernel_symbols *symbols)
{
    range_map_free(&symbols->map);
    free(symbols->names);
    *symbols = (struct kernel_symbols){0};
}
