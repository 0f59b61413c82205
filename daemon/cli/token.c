/* The token that requests must carry. */
#include "cli/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TOKEN_BYTES_MIN 16
#define TOKEN_BYTES_MAX 256

int token_read(const char *path, char **ret_token, struct failure *ret_failure)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0)
        return failure_set(ret_failure, -EINVAL, "token file %s cannot be read: %s", path,
                           strerror(errno));
    if (!S_ISREG(file.st_mode) || file.st_mode & 077)
        return failure_set(ret_failure, -EINVAL,
                           "token file %s must be a regular file that only its owner may read: "
                           "chmod 600 %s",
                           path, path);
    char text[TOKEN_BYTES_MAX + 2];
    ssize_t length = read(fd, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    size_t bytes = strlen(text);
    if (bytes < TOKEN_BYTES_MIN || bytes > TOKEN_BYTES_MAX || strpbrk(text, " \t"))
        return failure_set(ret_failure, -EINVAL,
                           "the first line of token file %s must be %d to %d characters without "
                           "spaces: openssl rand -hex 32 > %s",
                           path, TOKEN_BYTES_MIN, TOKEN_BYTES_MAX, path);
    *ret_token = strdup(text);
    return *ret_token ? 0 : failure_set(ret_failure, -ENOMEM, "out of memory");
}
