/** Many boards from one flow: `msg.port` names the board, and esp32 ports tells of those that come. */
import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { listPorts } from '../../lib/board/ports.ts';
import { NodeUnderTest, withRuntime } from '../support/runtime.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

const EVALUATE = { mode: 'evaluate', timeout: '10' };

describe('msg.port', () => {
  withRuntime();
  const boards: VirtualBoard[] = [];
  before(async () => {
    for (let i = 0; i < 2; i++) boards.push(await launchBoard());
  });
  after(async () => {
    for (const board of boards) await board.close();
  });

  it('uses another port with the settings of the board, at the same time', async () => {
    const [one, two] = boards.map(({ rfc2217 }) => rfc2217);
    const node = await NodeUnderTest.load('mp-repl', one!, { mode: 'run', timeout: '20' });
    // The first waits for what only the second board's run lets go of: a cancel of both.
    const long = node.send({ payload: 'print("up")\nwhile True:\n    pass' });
    await node.untilMeanwhile(({ topic }) => topic === 'console');
    node.receive({ payload: 'print("other")', port: two });
    await node.untilMeanwhile(({ payload, port }) => port === two && String(payload).includes('other'));
    node.receive({ cancel: true });
    await long;
  });

  it('is one board however it is named', async () => {
    const [one] = boards.map(({ rfc2217 }) => rfc2217);
    const node = await NodeUnderTest.load('mp-repl', one!, EVALUATE);
    assert.equal((await node.send({ payload: '1 + 1' })).result?.payload, 2);
    const other = await node.send({ payload: '2 + 2', port: ` ${one!.replace('rfc2217', 'RFC2217')}/ ` });
    assert.equal(other.result?.payload, 4);
  });

  it('stands before what the status says of that board', async () => {
    const [one, two] = boards.map(({ rfc2217 }) => rfc2217);
    const node = await NodeUnderTest.load('mp-repl', one!, EVALUATE);
    await node.send({ payload: '1 + 1', port: two });
    const labels = (): Set<string | undefined> =>
      new Set(node.statuses.map(({ text = '' }) => /^(?:.*:)? ?(?=mp-repl\.)/.exec(text)?.[0]));
    assert.deepEqual(labels(), new Set([`${new URL(two!).host}: `]));
    await node.send({ payload: '1 + 1', port: '/dev/ttyUSB77' });
    assert.match(node.lastStatus?.text ?? '', /^ttyUSB77: .*port-missing/);
    node.statuses.length = 0;
    await node.send({ payload: '1 + 1' });
    assert.deepEqual(labels(), new Set(['']));
  });

  it('is refused where it is no port, and ignored where a UDP node left its number', async () => {
    const node = await NodeUnderTest.load('mp-repl', boards[0]!.rfc2217, EVALUATE);
    const { caught } = await node.send({ payload: '2 + 2', port: 'my board' });
    assert.equal(caught?.diagnosis?.code, 'bad-port-name');
    assert.equal((await node.send({ payload: '2 + 2', port: 54321 })).result?.payload, 4);
  });
});

/** The helper makes spies of a node's methods. */
interface Spied {
  status: { called: boolean; args: [{ fill: string }][] };
  send: { args: [[{ topic: string; port: string; payload: { event: string; ports: unknown[] } }, null]][] };
}

describe('the esp32 ports node', () => {
  withRuntime();

  it('tells of the ports that are there at the start, when asked to', async () => {
    const ports = (await listPorts()).filter(({ present }) => present !== false);
    await NodeUnderTest.load('esp32-ports', '', { likely: false, initial: true });
    const node = helper.getNode('node-id') as unknown as Spied;
    while (!node.status.called) await new Promise(setImmediate);
    const sent = node.send.args.map(([[msg]]) => msg);
    assert.deepEqual(
      sent.map(({ topic, port, payload }) => [topic, port, payload.event, payload.ports.length]),
      ports.map(({ path }) => ['added', path, 'added', ports.length]),
    );
    assert.equal(node.status.args.at(-1)?.[0].fill, ports.length > 0 ? 'green' : 'grey');
  });
});
