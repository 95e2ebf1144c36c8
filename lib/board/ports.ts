/** The ports boards may hang on, for floors that do not know transports. */
export { listPorts } from '../transport/list.ts';
export type { PortInfo } from '../transport/list.ts';
