/** One board from port to port: which port is its, and what becomes of one that does not come back. */
import assert from 'node:assert/strict';
import { PortFollower } from '../../lib/board/follow.ts';
import type { Ports } from '../../lib/board/follow.ts';
import { Board } from '../../lib/board/board.ts';
import { flashBoard } from '../../lib/board/loader-jobs.ts';
import { checkParts } from '../../lib/esp/place.ts';
import { PortError } from '../../lib/transport/errors.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { PortInfo } from '../../lib/transport/port-info.ts';
import { failsWith } from '../support/failures.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import { launchBoard } from '../virtual-board/launch.ts';

const MAC = 'aabbccddeeff';
const { signal } = new AbortController();

function port(path: string, facts: Partial<PortInfo> = {}): PortInfo {
  return { path, likely: true, vendorId: '303a', productId: '4001', locationId: '1-1', ...facts };
}

/** Ports that are set by the test; those that open are noted. */
class Bench implements Ports {
  now: PortInfo[] = [];
  readonly opened: string[] = [];
  refuse: PortError[] = [];

  looks = 0;

  readonly list = (): Promise<PortInfo[]> => {
    this.looks += 1;
    return Promise.resolve(this.now);
  };
  readonly open = (path: string): Promise<ScriptedTransport> => {
    const refusal = this.refuse.shift();
    if (refusal) return Promise.reject(refusal);
    this.opened.push(path);
    return Promise.resolve(Object.assign(new ScriptedTransport(), { port: path }));
  };

  follower(path: string, device?: string): PortFollower {
    return new PortFollower({ device, port: path }, {}, this);
  }
}

/** A board known by its number, which has gone, and another in its socket. */
async function replaced(): Promise<{ bench: Bench; follower: PortFollower }> {
  const bench = new Bench();
  const follower = bench.follower('/dev/ttyACM0', `usb:${MAC}`);
  bench.now = [port('/dev/ttyACM0', { serialNumber: MAC })];
  await follower.open(signal);
  bench.now = [port('/dev/ttyACM0', { serialNumber: '112233445566' })];
  return { bench, follower };
}

/** Where the board is found after its ports have become others. */
async function whereAfter(first: PortInfo[], then: PortInfo[], at = 0): Promise<string | undefined> {
  const bench = new Bench();
  bench.now = first;
  const transport = await bench.follower(first[at]!.path).open(signal);
  bench.now = then;
  await transport.reopen?.({ timeoutMs: 1000, signal });
  return bench.opened.at(-1);
}

describe('board: following its port', () => {
  it('finds it under another name by its serial number, however that is written', async () => {
    const before = [port('/dev/ttyACM0', { serialNumber: MAC })];
    const after = [
      port('/dev/ttyACM1', { serialNumber: '11:22:33:44:55:66', locationId: '1-2' }),
      port('/dev/ttyACM2', { serialNumber: 'AA:BB:CC:DD:EE:FF', locationId: '3-1', productId: '1001' }),
    ];
    assert.equal(await whereAfter(before, after), '/dev/ttyACM2');
  });

  it('finds the mask ROM, which has no number, where the board hangs', async () => {
    const before = [port('/dev/ttyACM0', { serialNumber: MAC })];
    const after = [
      port('/dev/ttyACM0', { serialNumber: '0', locationId: '1-2', productId: '0009' }),
      port('/dev/ttyACM1', { serialNumber: '0', productId: '0009' }),
    ];
    assert.equal(await whereAfter(before, after), '/dev/ttyACM1');
  });

  it('knows it by its port however that is written', async () => {
    for (const [path, written] of [
      ['/dev/ttyACM0', ' ttyACM0 '],
      ['COM3', 'com3'],
    ] as const) {
      const bench = new Bench();
      bench.now = [port(path, { serialNumber: MAC })];
      const transport = await bench.follower(written).open(signal);
      assert.deepEqual(transport.usb, { vendorId: '303a', productId: '4001' });
      bench.now = [port('/dev/ttyACM7', { serialNumber: MAC })];
      await transport.reopen?.({ timeoutMs: 1000, signal });
      assert.equal(bench.opened.at(-1), '/dev/ttyACM7');
    }
  });

  it('takes the same of several ports of one board', async () => {
    const two = (first: string, second: string): PortInfo[] =>
      [first, second].map((path) => port(path, { serialNumber: MAC }));
    const before = two('/dev/ttyACM0', '/dev/ttyACM1');
    const after = two('/dev/ttyACM4', '/dev/ttyACM5');
    assert.equal(await whereAfter(before, after, 0), '/dev/ttyACM4');
    assert.equal(await whereAfter(before, after, 1), '/dev/ttyACM5');
  });

  it('remembers it between jobs, and goes by the name it was given where another hangs there', async () => {
    const bench = new Bench();
    const follower = bench.follower('/dev/ttyACM0');
    bench.now = [port('/dev/ttyACM0', { serialNumber: MAC })];
    await follower.open(signal);
    bench.now = [port('/dev/ttyACM3', { serialNumber: MAC })];
    await follower.open(signal);
    assert.equal(bench.opened.at(-1), '/dev/ttyACM3');
    bench.now = [port('/dev/ttyACM0', { serialNumber: '112233445566', locationId: '1-2' })];
    await follower.open(signal);
    assert.equal(bench.opened.at(-1), '/dev/ttyACM0');
  }).timeout(10_000);

  it('is waited for by the first job that finds it gone, not by all that are waiting behind', async () => {
    const { bench, follower } = await replaced();
    await assert.rejects(follower.open(signal), failsWith('port-missing'));
    const before = bench.looks;
    assert.ok(before > 10);
    await assert.rejects(follower.open(signal), failsWith('port-missing'));
    assert.ok(bench.looks < before + 5);
    bench.now = [port('/dev/ttyACM1', { serialNumber: MAC })];
    await follower.open(signal);
    assert.equal(bench.opened.at(-1), '/dev/ttyACM1');
  }).timeout(10_000);

  it('opens between jobs what hangs at the path it was given, though the board of the last job is elsewhere', async () => {
    const bench = new Bench();
    const one = (path: string): PortInfo => port(path, { serialNumber: MAC });
    const two = (path: string): PortInfo => port(path, { serialNumber: '112233445566', locationId: '1-2' });
    const [first, second] = [bench.follower('/dev/ttyUSB0'), bench.follower('/dev/ttyUSB1')];
    bench.now = [one('/dev/ttyUSB0'), two('/dev/ttyUSB1')];
    await first.open(signal);
    await second.open(signal);
    bench.now = [two('/dev/ttyUSB0'), one('/dev/ttyUSB1')];
    await first.open(signal);
    await second.open(signal);
    assert.deepEqual(bench.opened.slice(2), ['/dev/ttyUSB0', '/dev/ttyUSB1']);
  });

  it('is no other board that is plugged into its socket between jobs, but its mask ROM, which has no number', async () => {
    const { bench, follower } = await replaced();
    await assert.rejects(follower.open(signal), failsWith('port-missing'));
    bench.now = [port('/dev/ttyACM1', { serialNumber: '0', productId: '0009' })];
    await follower.open(signal);
    assert.deepEqual(bench.opened, ['/dev/ttyACM0', '/dev/ttyACM1']);
  }).timeout(10_000);

  it('stays with it within a job, though another program gives another number', async () => {
    const before = [port('/dev/ttyACM0', { serialNumber: MAC, productId: '1001' })];
    const after = [port('/dev/ttyACM1', { serialNumber: '123456' })];
    assert.equal(await whereAfter(before, after), '/dev/ttyACM1');
  });

  it('waits out what passes while a port comes up, and nothing else', async () => {
    const bench = new Bench();
    bench.now = [port('/dev/ttyACM0')];
    const transport = await bench.follower('/dev/ttyACM0').open(signal);
    bench.refuse = ['port-permission', 'port-busy'].map(
      (code) => new PortError(code as 'port-busy', '/dev/ttyACM0', code),
    );
    await transport.reopen?.({ timeoutMs: 5000, signal });
    assert.equal(bench.opened.length, 2);
    bench.refuse = [new PortError('bad-port-name', '', 'never a port')];
    await assert.rejects(
      async () => transport.reopen?.({ timeoutMs: 5000, signal }),
      failsWith('bad-port-name'),
    );
  });

  it('says that it did not come back, and stops when it is told to', async () => {
    const bench = new Bench();
    bench.now = [port('/dev/ttyACM0')];
    const transport = await bench.follower('/dev/ttyACM0').open(signal);
    bench.now = [];
    await assert.rejects(
      async () => transport.reopen?.({ timeoutMs: 50, signal }),
      failsWith('port-not-back', { port: '/dev/ttyACM0' }),
    );
    const stopped = AbortSignal.abort(new Error('enough'));
    await assert.rejects(async () => transport.reopen?.({ timeoutMs: 5000, signal: stopped }), /enough/);
  });

  it('does not go on with another board that hangs there now', async () => {
    const options = { firmware: 'none', timing: 'none', bootMs: 0 } as const;
    const boards = [await launchBoard(options), await launchBoard({ ...options, mac: MAC })];
    const [one, two] = boards;
    let device = one!;
    const ports: Ports = {
      list: () => Promise.resolve([]),
      open: (_, opening) => openTransport(device.rfc2217, opening),
    };
    const board = new Board({ port: '/dev/ttyACM0', baudRate: 115200, ports });
    try {
      const { bytes, offset } = demoImage({ payloadSize: 90_000 });
      let pulled: Promise<void> | undefined;
      const flashing = flashBoard(board, checkParts([{ bytes }]), {
        baudRate: 921600,
        connectTimeoutMs: 15_000,
        erase: 'needed',
        onEvent: ({ kind }) => {
          if (kind !== 'writing') return;
          device = two!;
          pulled ??= one!.unplug({ ms: 10 });
        },
      });
      await assert.rejects(flashing, failsWith('board-changed', { found: 'aa:bb:cc:dd:ee:ff' }));
      await pulled;
      assert.ok(Buffer.from(await two!.readFlash(offset, 4096)).every((byte) => byte === 0xff));
    } finally {
      await board.close();
      for (const each of boards) await each.close();
    }
  }).timeout(60_000);
});
