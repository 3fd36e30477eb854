/*
 * io.h - whole files and descriptors, with ceilings.
 * Reads and writes are complete or fail; EINTR is handled. Nothing here follows a symbolic link at
 * the last component of a path it writes, or waits at a FIFO it reads.
 *
 * Errors: ERR_NOT_FOUND where the file is not there, ERR_LIMIT beyond the ceiling, ERR_IO
 * otherwise.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

int io_read_fd(int fd, size_t max, struct str *ret, struct err *err);
/* The first max bytes; what follows them is left unread and no error. */
int io_read_head(int fd, size_t max, struct str *ret, struct err *err);
int io_read_file(const char *path, size_t max, struct str *ret, struct err *err);
int io_read_at(int dirfd, const char *path, size_t max, struct str *ret, struct err *err);
int io_write_fd(int fd, const void *ptr, size_t len, struct err *err);
/*
 * Atomic: a temporary name in the same directory, fdatasync when `durable`, rename. mode as for
 * open(2).
 */
int io_replace(const char *path, const void *ptr, size_t len, int mode, int durable, struct err *err);
/* mkdir -p; mode for each that is made. */
int io_mkdirs(const char *path, int mode, struct err *err);
/* fsync the directory that holds path. */
int io_sync_parent(const char *path, struct err *err);

#endif
