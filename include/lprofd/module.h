/* A module: one ELF file (or the kernel, the vdso, anonymous code) that code runs from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum module_kind {
    MODULE_NONE,      /* id 0: not a module; a raw frame's vaddr is then an enum stack_end */
    MODULE_FILE,      /* an ELF file */
    MODULE_VDSO,      /* the kernel's user-space code: an ELF image read from memory */
    MODULE_KERNEL,    /* kernel and its modules: vaddr is the kernel address */
    MODULE_ANONYMOUS, /* memory that is no ELF file (JIT): vaddr is the run-time address */
    MODULE_JITDUMP,   /* a file that tells of its target's anonymous code; none of it runs */
};

/* An executable PT_LOAD program header: file bytes [offset, offset + bytes) are loaded at vaddr. */
struct module_segment {
    uint64_t offset, bytes, vaddr;
};

#define BUILD_ID_MAX 32

/*
 * Immutable once published, and it lives as long as its session. `fd` stays readable after the
 * target has ended or its file was replaced; readers must use pread or their own mapping offset
 * and never close it.
 */
struct target;

struct module {
    uint32_t id;
    enum module_kind kind;
    char *path;                      /* as the target names it; "[kernel]", "[vdso]", "[anon]" */
    int fd;                          /* owned; -1 when it could not be opened */
    int open_error;                  /* errno of that, 0 when fd >= 0 */
    uint64_t device, inode;          /* of the file; 0 when there is none */
    struct module_segment *segments; /* owned, sorted by offset */
    size_t segment_count;
    uint64_t entry; /* vaddr where a process or its dynamic linker starts; 0: nowhere */
    uint64_t init,
        fini; /* DT_INIT and DT_FINI: put together of pieces without unwind information */
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes; /* 0 when the file has none */
    /*
     * Borrowed: whose anonymous code or jitdump; of other files, whose rights those that it names
     * are opened with. NULL: nobody's, and nothing is opened.
     */
    const struct target *target;
    bool rights_are_unknown; /* it is of a process that had ended: target is nobody, to be safe */
};
