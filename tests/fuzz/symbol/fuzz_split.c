/* Arbitrary .dwo files and .dwp packages: the index, units, addresses, range lists and names. */
#include "image.h"

#include "symbol/inline_tree.h"
#include "symbol/split_unit.h"

#define FILE_BYTES_MAX 65536

/* What a linked file would have of the unit: any bytes will do. */
static struct unit_data skeleton_of(const uint8_t *bytes, size_t length, uint16_t version)
{
    struct span all = {bytes, length};
    return (struct unit_data){
        .header = {.version = version, .address_bytes = 8, .offset_bytes = 4},
        .addresses = all,
        .ranges = all,
        .low_pc = 0x1000,
    };
}

static void read_unit(struct split_file *file, uint64_t id, const struct unit_data *skeleton)
{
    struct split_unit *unit;
    struct inline_tree tree;
    if (split_unit_read(file, id, skeleton, &unit))
        return;
    fuzz_check(inline_tree_read(&unit->data, 0, &tree) == 0);
    for (size_t i = 0; i < tree.count; i++) {
        struct split_function function =
            split_unit_function(unit, unit->data.header.offset + tree.nodes[i].die);
        if (function.name)
            fuzz_touch(function.name, strlen(function.name));
        if (function.linkage_name)
            fuzz_touch(function.linkage_name, strlen(function.linkage_name));
    }
    inline_tree_free(&tree);
    split_unit_free(unit);
}

/* The input is the id that is looked for, and the file. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint64_t id;
    struct split_file *file;
    if (length < sizeof id || length > FILE_BYTES_MAX)
        return 0;
    memcpy(&id, bytes, sizeof id);
    int fd = dup(image_fd(bytes + sizeof id, length - sizeof id));
    fuzz_check(fd >= 0);
    if (split_file_open(fd, &file))
        return 0;
    for (uint16_t version = 4; version <= 5; version++) {
        struct unit_data skeleton = skeleton_of(bytes, length, version);
        read_unit(file, id, &skeleton);
    }
    split_file_free(file);
    return 0;
}
