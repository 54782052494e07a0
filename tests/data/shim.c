/* Faults for the tests of the service, by LD_PRELOAD: writes below a folder fail after a count,
 * and the clock can be moved.
 *
 * FAULT_UNDER  folder whose writes may fail
 * FAULT_AFTER  number of writes that still work
 * FAULT_ERRNO  the error, e.g. 28 (ENOSPC)
 * FAULT_WHILE  a file; when it is gone, writes work again
 * FAULT_CLOCK  a file that holds seconds to be added to the clock
 * FAULT_ABORT  part of a path: the process dies when such a file is opened
 * FAULT_OPENS  for the so many-th time
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_long n_writes;

static int is_failing(const char *path) {
    const char *under = getenv("FAULT_UNDER");
    const char *after = getenv("FAULT_AFTER");
    const char *control = getenv("FAULT_WHILE");
    if (!under || !after || !control || !path || strncmp(path, under, strlen(under)) != 0)
        return 0;
    if (atomic_fetch_add(&n_writes, 1) < atol(after) || access(control, F_OK) != 0)
        return 0;
    const char *number = getenv("FAULT_ERRNO");
    errno = number ? atoi(number) : ENOSPC;
    return 1;
}

static int is_failing_fd(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = 0;
    return is_failing(path);
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t n) {
    if (fd > 2 && is_failing_fd(fd)) return -1;
    return REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, n);
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    if (is_failing_fd(fd)) return -1;
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, n, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    if (is_failing_fd(fd)) return -1;
    return REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, bytes, n, at);
}
int ftruncate64(int fd, off64_t n) {
    if (is_failing_fd(fd)) return -1;
    return REAL(int, ftruncate64, int, off64_t)(fd, n);
}
int ftruncate(int fd, off_t n) {
    if (is_failing_fd(fd)) return -1;
    return REAL(int, ftruncate, int, off_t)(fd, n);
}
int posix_fallocate(int fd, off_t at, off_t n) {
    if (is_failing_fd(fd)) return errno;
    return REAL(int, posix_fallocate, int, off_t, off_t)(fd, at, n);
}
int mkdir(const char *path, mode_t mode) {
    if (is_failing(path)) return -1;
    return REAL(int, mkdir, const char *, mode_t)(path, mode);
}
int rename(const char *from, const char *to) {
    if (is_failing(to)) return -1;
    return REAL(int, rename, const char *, const char *)(from, to);
}
static void die_if_asked(const char *path) {
    static atomic_long n_opened;
    const char *part = getenv("FAULT_ABORT");
    const char *opens = getenv("FAULT_OPENS");
    if (!part || !opens || !path || !strstr(path, part)) return;
    if (atomic_fetch_add(&n_opened, 1) + 1 >= atol(opens)) abort();
}
static int open_with(const char *name, const char *path, int flags, mode_t mode) {
    die_if_asked(path);
    if ((flags & O_CREAT) && is_failing(path)) return -1;
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    return real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_with("open64", path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_with("open", path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(int, clock_gettime, clockid_t, struct timespec *)(clock, now);
    const char *control = getenv("FAULT_CLOCK");
    if (clock == CLOCK_REALTIME && control) {
        FILE *file = fopen(control, "r");
        long seconds = 0;
        if (file && fscanf(file, "%ld", &seconds) == 1) now->tv_sec += seconds;
        if (file) fclose(file);
    }
    return result;
}
