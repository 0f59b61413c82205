/* Where symbols are kept on disk unless an option says so. */
#pragma once

/*
 * $CACHE_DIRECTORY (systemd.exec(5)), for root /var/cache/lprofd, else $XDG_CACHE_HOME/lprofd or
 * ~/.cache/lprofd (XDG Base Directory Specification); "symbols" below it. Malloc'ed; NULL when
 * there is no such place.
 */
char *symbol_cache_default(void);
