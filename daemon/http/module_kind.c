/* What kind of code a module is, in one word: for colours. */
#include "http/module_kind.h"

#include <string.h>

#include "base/cleanup.h"

/* File names of what every program brings along. */
static bool is_runtime(const char *name)
{
    static const char *const beginnings[] = {
        "libc.so",   "libc-2.",   "libm.so",   "libm-2.",   "libpthread", "libdl.so",
        "librt.so",  "libdl-2.",  "librt-2.",  "libgcc_s",  "libstdc++",  "libc++.so",
        "libc++abi", "libunwind", "libatomic", "libgomp",   "ld-linux",   "ld-2.",
        "ld-musl",   "ld.so",     "libresolv", "libthread", "libnss_",    "libasan.so",
    };
    for (size_t i = 0; i < array_length(beginnings); i++)
        if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
            return true;
    return false;
}

static const char *file_kind(const struct module *module)
{
    const char *slash = module->path ? strrchr(module->path, '/') : NULL;
    const char *name = slash ? slash + 1 : module->path ? module->path : "";
    if (is_runtime(name))
        return "runtime";
    const char *suffix = strstr(name, ".so");
    bool is_library = suffix && (suffix[3] == '\0' || suffix[3] == '.' || suffix[3] == ' ');
    /* A program has an entry; so have a few libraries, but those say what they are. */
    return is_library || !module->entry ? "library" : "target";
}

const char *module_kind_name(const struct profile_view *view, uint32_t module)
{
    const struct module *found =
        module && module < view->module_count ? profile_view_module(view, module) : NULL;
    if (!found)
        return "unknown";
    switch (found->kind) {
    case MODULE_FILE:
        return file_kind(found);
    case MODULE_VDSO:
        return "vdso";
    case MODULE_KERNEL:
        return "kernel";
    case MODULE_ANONYMOUS:
    case MODULE_JITDUMP:
        return symbols_jit(view->symbols).named ? "jit" : "anonymous";
    default:
        return "unknown";
    }
}
