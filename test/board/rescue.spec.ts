/** Boards that let nobody in, got back: their main.py put aside, or as the last resort their files erased. */
import assert from 'node:assert/strict';
import { Board } from '../../lib/board/board.ts';
import { evaluatePython, runPython } from '../../lib/board/python-jobs.ts';
import { rescueBoard } from '../../lib/board/rescue.ts';
import type { Rescue, RescueOptions } from '../../lib/board/rescue.ts';
import { failsWith } from '../support/failures.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions, VirtualBoard } from '../virtual-board/launch.ts';

const soon = { timeoutMs: 10_000 };
const SWALLOWS = `import time
while True:
    try:
        while True: time.sleep_ms(10)
    except KeyboardInterrupt:
        pass
`;

const WORKS = 'import time\nfor i in range(5):\n    time.sleep_ms(10)\n';
/** MicroPython never looks whether a Ctrl-C came. */
const SLEEPS_AT_ONCE = 'import machine\nmachine.deepsleep(600000)\n';

const MISCHIEF: Readonly<Record<string, string>> = {
  'goes on after every Ctrl-C': SWALLOWS,
  'measures and sleeps deeply': `${WORKS}import machine\nmachine.deepsleep(600000)\n`,
  'is restarted by its watchdog, which goes on': `import machine
dog = machine.WDT(timeout=1500)
${SWALLOWS.replace('pass', 'dog.feed()').replace('sleep_ms(10)', 'sleep_ms(10); dog.feed()')}`,
  'restarts the chip soon': `${WORKS}import machine\nmachine.reset()\n`,
};

describe('board: rescue', function () {
  this.timeout(90_000);
  let device: VirtualBoard;
  let board: Board;
  let steps: string[];
  let backups: Map<string, Buffer>;

  const start = async (options: LaunchOptions = {}): Promise<void> => {
    device = await launchBoard({ timing: 'none', bootMs: 50, ...options });
    board = new Board({ port: options.pty ? device.pty : device.rfc2217, baudRate: 115200 });
  };
  beforeEach(() => {
    [steps, backups] = [[], new Map<string, Buffer>()];
  });
  afterEach(async () => {
    await board.close();
    await device.close();
  });

  const rescue = (options: Partial<RescueOptions> = {}): Promise<Rescue> =>
    rescueBoard(board, {
      baudRate: 2_000_000,
      connectTimeoutMs: 10_000,
      erase: false,
      onEvent: () => undefined,
      onStep: (name, facts) => steps.push(facts ? `${name} ${facts.path}` : name),
      onBackup: ({ label, data }) => void backups.set(label, data),
      ...options,
    });

  const write = async (path: string, content: string): Promise<void> => {
    const source = `f = open(params["path"], "w")\nf.write(params["content"])\nf.close()`;
    await runPython(board, source, { ...soon, params: { path, content } });
  };

  for (const [what, main] of Object.entries(MISCHIEF)) {
    it(`of a board whose main.py ${what}`, async () => {
      await start();
      await write('main.py', main);
      await device.pressEn();
      await device.nextEvent(({ name }) => name === 'boot');
      const { started, renamed, erased } = await rescue();
      assert.equal(started, 'prompt');
      assert.deepEqual(renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
      assert.equal(erased, undefined);
      assert.equal(await evaluatePython(board, 'open("/main.py.rescued").read()', soon), main);
      assert.ok(steps.includes('rename /main.py'), steps.join());
    });
  }

  it('of a board that is silent for long before Python starts, as real ones are', async () => {
    await start({ bootMs: 1600 });
    await write('main.py', SWALLOWS);
    await device.pressEn();
    device.clearLog();
    assert.deepEqual((await rescue()).renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
    const resets = (): number => device.log().filter(({ name }) => name === 'reset').length;
    device.clearLog();
    // A board that is well is had at once: one reset to get hold of it, one to see it start.
    assert.deepEqual((await rescue()).renamed, []);
    assert.equal(resets(), 2);
  });

  it('of a board whose boot.py is to blame: main.py too is put aside', async () => {
    await start();
    await write('main.py', 'print("innocent")\n');
    await write('boot.py', SWALLOWS);
    await device.pressEn();
    const { renamed } = await rescue();
    assert.deepEqual(
      renamed.map(({ from }) => from),
      ['/main.py', '/boot.py'],
    );
  });

  it('keeps what an earlier rescue put aside, and touches nothing on a board that is well', async () => {
    await start();
    await write('main.py.rescued', 'first');
    await write('main.py', SWALLOWS);
    await device.pressEn();
    assert.deepEqual((await rescue()).renamed, [{ from: '/main.py', to: '/main.py.rescued2' }]);
    assert.equal(await evaluatePython(board, 'open("/main.py.rescued").read()', soon), 'first');
    assert.deepEqual((await rescue()).renamed, []);
  });

  it('of a board that cannot be had: its files are read, then erased, if that is allowed', async () => {
    await start();
    await write('keep.txt', 'precious');
    await write('main.py', SLEEPS_AT_ONCE);
    await device.pressEn();
    const { started, renamed, erased } = await rescue({ erase: true });
    assert.deepEqual(
      { started, renamed, label: erased?.label },
      { started: 'prompt', renamed: [], label: 'vfs' },
    );
    assert.ok(backups.get('vfs')?.includes('precious'));
    assert.deepEqual(await evaluatePython(board, '__import__("os").listdir("/")', soon), ['boot.py']);
  });

  it('erases nothing where the files are not to blame', async () => {
    await start();
    await write('keep.txt', 'precious');
    await device.fault({ kind: 'brown-out' });
    await device.pressEn();
    await assert.rejects(rescue({ erase: true }), failsWith('boot-failed', { heard: 'brown-out' }));
    await device.clearFaults();
    await device.pressEn();
    assert.equal(await evaluatePython(board, 'open("/keep.txt").read()', soon), 'precious');
    assert.equal(backups.size, 0);
  });

  it('over a port without lines', async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    await start({ rfc2217: false, pty: true });
    await write('main.py', `${WORKS}${SLEEPS_AT_ONCE}`);
    await device.pressEn();
    const done = rescue({
      onStep: (name) => {
        steps.push(name);
        if (name === 'press-en') void device.pressEn();
      },
    });
    assert.deepEqual((await done).renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
  });
});
