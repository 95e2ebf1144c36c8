/** Error numbers: the module speaks WASI's, a board POSIX's as MicroPython has them. */

export const WASI = {
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ENODEV: 43,
  ENOENT: 44,
  ENOSPC: 51,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
} as const;

const BY_WASI = new Map<number, number>([
  [2, 13], // EACCES
  [6, 11], // EAGAIN
  [8, 9], // EBADF
  [10, 16], // EBUSY
  [20, 17], // EEXIST
  [28, 22], // EINVAL
  [29, 5], // EIO
  [31, 21], // EISDIR
  [32, 40], // ELOOP
  [33, 24], // EMFILE
  [37, 36], // ENAMETOOLONG
  [43, 19], // ENODEV
  [44, 2], // ENOENT
  [48, 12], // ENOMEM
  [51, 28], // ENOSPC
  [54, 20], // ENOTDIR
  [55, 39], // ENOTEMPTY
  [58, 95], // EOPNOTSUPP
  [63, 1], // EPERM
  [69, 30], // EROFS
  [70, 29], // ESPIPE
  [75, 18], // EXDEV
]);

/** EINTR stays as it is: the interpreter compares with its C library's own number for it. */
export function toPosix(wasi: number): number {
  return BY_WASI.get(wasi) ?? wasi;
}
