/** Error numbers: the module speaks WASI's, a board POSIX's as MicroPython has them. */

export const WASI = { EINTR: 27, ENOSPC: 51, EISDIR: 31, EROFS: 69 } as const;

export const POSIX = {
  ENOENT: 2,
  EIO: 5,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  ENOTEMPTY: 39,
} as const;

const BY_WASI = new Map<number, number>([
  [2, 13], // EACCES
  [6, 11], // EAGAIN
  [8, 9], // EBADF
  [10, 16], // EBUSY
  [20, POSIX.EEXIST],
  [28, POSIX.EINVAL],
  [29, POSIX.EIO],
  [31, POSIX.EISDIR],
  [32, 40], // ELOOP
  [33, 24], // EMFILE
  [37, 36], // ENAMETOOLONG
  [43, POSIX.ENODEV],
  [44, POSIX.ENOENT],
  [48, 12], // ENOMEM
  [51, POSIX.ENOSPC],
  [54, POSIX.ENOTDIR],
  [55, POSIX.ENOTEMPTY],
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
