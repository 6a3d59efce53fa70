/*
 * LD_PRELOAD library: appends every write and sync of two files to a log, for record.ts.
 * WRITE_LOG: the log; WRITE_LOG_HEADER, WRITE_LOG_DATA: the two files, absolute.
 * Record: 'W' or 'S', 'H' or 'D', 6 zero bytes, offset and length (64 bits, little-endian), then the bytes written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char which(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  const char *header = getenv("WRITE_LOG_HEADER"), *data = getenv("WRITE_LOG_DATA");
  if (header && !strcmp(path, header)) return 'H';
  if (data && !strcmp(path, data)) return 'D';
  return 0;
}

static void put(int log, const void *bytes, size_t length) {
  if (syscall(SYS_write, log, bytes, length) != (long)length) abort();
}

static void record(char kind, char file, int64_t offset, const void *bytes, int64_t length) {
  struct { char kind, file, zero[6]; int64_t offset, length; } head = { kind, file, { 0 }, offset, length };
  int log = syscall(SYS_openat, AT_FDCWD, getenv("WRITE_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log < 0) abort();
  put(log, &head, sizeof head);
  if (bytes) put(log, bytes, length);
  syscall(SYS_close, log);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  char file = which(fd);
  if (file) record('W', file, lseek(fd, 0, SEEK_CUR), bytes, length);
  return syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  char file = which(fd);
  if (file) record('W', file, offset, bytes, length);
  return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

int fsync(int fd) {
  char file = which(fd);
  if (file) record('S', file, 0, NULL, 0);
  return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
  char file = which(fd);
  if (file) record('S', file, 0, NULL, 0);
  return syscall(SYS_fdatasync, fd);
}
