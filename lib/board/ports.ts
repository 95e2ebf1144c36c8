/** The ports boards may hang on, for floors that do not know transports. */
export { deviceOf } from '../transport/identity.ts';
export { listPorts } from '../transport/list.ts';
export type { PortInfo } from '../transport/list.ts';
export type { PortEvent } from './port-watch.ts';
