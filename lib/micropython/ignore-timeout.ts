import { PortError } from '../transport/errors.ts';

/** For reads whose time may be over without harm: gives `undefined` then; any other error is thrown on. */
export function ignoreTimeout(error: unknown): undefined {
  if (error instanceof PortError && error.code === 'read-timeout') return undefined;
  throw error;
}
