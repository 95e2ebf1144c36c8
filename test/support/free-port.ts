import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give out by themselves, so that nobody is given it before it is used. */
const [FIRST, END] = [15_000, 32_000];

/** A TCP port of the loopback address that nobody listens on. */
export function freePort(): Promise<number> {
  const port = randomInt(FIRST, END);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(freePort()));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });
}
