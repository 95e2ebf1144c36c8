/** SHA-256, by which contents are compared, checked and named. */
import { createHash } from 'node:crypto';

/** Hexadecimal, in small letters. */
export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
