/** The rate at which the stub travels: that of the session where the ROM follows, the first one where it does not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { openTransport } from '../../lib/transport/open.ts';
import { Closing } from '../support/closing.ts';
import { flashAt, holds } from '../support/flash-board.ts';
import type { Flashed } from '../support/flash-board.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions } from '../virtual-board/launch.ts';

describe('esp: the rate of the stub upload', () => {
  it('is the ROM’s fastest, and the stub starts at the first again', async () => {
    assert.deepEqual((await flashed({})).steps, [460800, 115200, 'stub', 921600]);
  });

  it('stays the first one on the ESP8266', async () => {
    assert.deepEqual((await flashed({ chip: 'esp8266' })).steps, ['stub', 921600]);
  });

  it('is the first one again, without another reset, where the ROM loses bytes at its fastest', async () => {
    // One byte, and that in the stub: nothing before it is as long.
    const lost: Fault = { kind: 'drop', every: 2000, times: 1, direction: 'to-chip', above: 115200 };
    const { steps, events } = await flashed({}, [lost]);
    assert.deepEqual(steps, [460800, 115200, 'stub', 921600]);
    assert.equal(events.filter(({ kind }) => kind === 'connected').length, 1);
  });

  it('is the first one when the ROM is not heard at the other', async () => {
    // Its measure is plausible and yet not what the ROM goes by.
    const { steps, events } = await flashed({ registers: [[0x3ff5f06c, 760 << 7]] });
    assert.deepEqual(steps.slice(-2), ['stub', 921600]);
    assert.equal(steps.filter((step) => step === 'stub').length, 1);
    assert.ok(!events.some(({ kind }) => kind === 'no-stub'));
  });

  it('is a lower one where the port refuses the one that is wanted', async () => {
    const { steps, events, result } = await flashed({}, [{ kind: 'slow-port', maxBaud: 230400 }]);
    assert.deepEqual(steps.slice(-4), [230400, 115200, 'stub', 230400]);
    const slower = events.filter(({ kind }) => kind === 'slower');
    assert.deepEqual(
      slower,
      [460800, 230400].map((baudRate) => ({ kind: 'slower', baudRate, because: 'baud-refused' })),
    );
    assert.deepEqual([result.verified, result.baudRate], [true, 230400]);
  });

  it('stays the first one, and so does that of the stub, where the far end of a raw stream keeps its own', async () => {
    const image = demoImage({ payloadSize: 20_000 });
    const closing = new Closing();
    try {
      const board = await launchBoard({ timing: 'none', firmware: 'none' });
      closing.later(() => board.close());
      const far = await openTransport(board.rfc2217);
      closing.later(() => far.close());
      const bridge = createServer((socket) => {
        far.listen({ data: (bytes) => socket.write(bytes), closed: () => socket.destroy() });
        socket.on('data', (bytes) => void far.write(bytes));
      }).listen(0, '127.0.0.1');
      await once(bridge, 'listening');
      closing.later(() => new Promise<void>((resolve) => bridge.close(() => resolve())));
      await board.holdBoot(true);
      await board.pressEn();
      const url = `tcp://127.0.0.1:${(bridge.address() as AddressInfo).port}`;
      const { result } = await flashAt(url, image.bytes);
      assert.deepEqual([result.verified, result.baudRate, result.reset], [true, 115200, false]);
      assert.ok(await holds(board, image));
    } finally {
      await closing.all();
    }
  });
});

/** Rates the loaders changed to, to the next usual one, and the start of the stub, in order. */
async function flashed(
  options: LaunchOptions,
  faults: Fault[] = [],
): Promise<Flashed & { steps: (number | 'stub')[] }> {
  const image = demoImage({ chip: options.chip ?? 'esp32', payloadSize: 20_000 });
  const board = await launchBoard({ timing: 'none', firmware: 'none', ...options });
  try {
    for (const fault of faults) await board.fault(fault);
    const done = await flashAt(board.rfc2217, image.bytes);
    const steps = board.log().flatMap<number | 'stub'>(({ name, facts }) => {
      if (name === 'run-code') return ['stub'];
      return name === 'baud' ? [Math.round(Number(facts['baudRate']) / 115200) * 115200] : [];
    });
    return { ...done, steps };
  } finally {
    await board.close();
  }
}
