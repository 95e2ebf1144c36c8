/** Our side of the bench: flashing and connecting as the board floor does it. */
import { checkParts } from '../../lib/esp/place.ts';
import { flash } from '../../lib/esp/flash.ts';
import type { FlashEvent, FlashResult } from '../../lib/esp/flash.ts';
import { strategiesFor } from '../../lib/esp/reset.ts';
import { withSession } from '../../lib/esp/session.ts';
import type { SessionOptions } from '../../lib/esp/session.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { ModemLines, Transport } from '../../lib/transport/transport.ts';

export interface Flashed {
  result: FlashResult;
  /** Milliseconds from opening the port to verified, without the reset into the program, which the peer does not do. */
  verifiedMs: number;
}

async function withTransport<T>(port: string, work: (transport: Transport) => Promise<T>): Promise<T> {
  const transport = await openTransport(port);
  try {
    return await work(transport);
  } finally {
    await transport.close();
  }
}

function session(
  transport: Transport,
  baudRate: number,
  signal: AbortSignal,
): Omit<SessionOptions, 'onEvent'> {
  const { kind, hasModemLines } = transport;
  return {
    strategies: strategiesFor({ kind, hasModemLines, platform: process.platform }),
    timeoutMs: 20_000,
    baudRate,
    after: { baudRate: 115200, idleLines: undefined },
    signal,
  };
}

/** Milliseconds from opening the port until the stub runs at the rate asked for, and chip and flash are known. */
export function connects(port: string, baudRate: number): Promise<number> {
  const start = performance.now();
  return withTransport(port, async (transport) => {
    const options = session(transport, baudRate, new AbortController().signal);
    const { result } = await withSession(transport, { ...options, onEvent: () => undefined }, () =>
      Promise.resolve(performance.now() - start),
    );
    return result;
  });
}

/** Flashes; the time begins with opening the port. */
export function flashes(
  port: string,
  bytes: Uint8Array,
  baudRate: number,
  {
    signal = new AbortController().signal,
    onEvent,
  }: { signal?: AbortSignal; onEvent?: (event: FlashEvent) => void } = {},
): Promise<Flashed> {
  const start = performance.now();
  return withTransport(port, async (transport) => {
    let resetAt = NaN;
    const noting = noteResets(transport, () => (resetAt = performance.now()));
    const result = await flash(noting, checkParts([{ bytes }]), {
      ...session(transport, baudRate, signal),
      erase: 'needed',
      onEvent: onEvent ?? (() => undefined),
    });
    return { result, verifiedMs: resetAt - start };
  });
}

/** The transport as it is, telling when EN is pulled low. */
function noteResets(transport: Transport, note: () => void): Transport {
  return new Proxy(transport, {
    get: (target, name) => {
      if (name === 'setModemLines') {
        return (lines: ModemLines) => {
          if (lines.rts && !lines.dtr) note();
          return target.setModemLines(lines);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
