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

/** A virtual board in trouble, and what its rescue did. */
class Patient {
  readonly device: VirtualBoard;
  readonly board: Board;
  readonly steps: string[] = [];
  readonly backups = new Map<string, Buffer>();

  private constructor(device: VirtualBoard, port: string) {
    this.device = device;
    this.board = new Board({ port, baudRate: 115200 });
  }

  static async start(options: LaunchOptions = {}): Promise<Patient> {
    const device = await launchBoard({ timing: 'none', bootMs: 50, ...options });
    return new Patient(device, options.pty ? device.pty : device.rfc2217);
  }

  rescue(options: Partial<RescueOptions> = {}): Promise<Rescue> {
    return rescueBoard(this.board, {
      baudRate: 2_000_000,
      connectTimeoutMs: 10_000,
      erase: false,
      onEvent: () => undefined,
      onStep: (name, facts) => this.steps.push(facts ? `${name} ${facts.path}` : name),
      onBackup: ({ label, data }) => void this.backups.set(label, data),
      ...options,
    });
  }

  async write(path: string, content: string): Promise<void> {
    const source = `f = open(params["path"], "w")\nf.write(params["content"])\nf.close()`;
    await runPython(this.board, source, { ...soon, params: { path, content } });
  }

  evaluate(expression: string): Promise<unknown> {
    return evaluatePython(this.board, expression, soon);
  }

  async close(): Promise<void> {
    await this.board.close();
    await this.device.close();
  }
}

/** The long ones wait most of their time: they go on beside the other tests. */
async function on<T>(options: LaunchOptions, work: (patient: Patient) => Promise<T>): Promise<T> {
  const patient = await Patient.start(options);
  try {
    return await work(patient);
  } finally {
    await patient.close();
  }
}

async function erasing(): Promise<[Rescue, Patient['backups'], unknown]> {
  return on({}, async (patient) => {
    await patient.write('keep.txt', 'precious');
    await patient.write('main.py', SLEEPS_AT_ONCE);
    await patient.device.pressEn();
    const rescued = await patient.rescue({ erase: true });
    return [rescued, patient.backups, await patient.evaluate('__import__("os").listdir("/")')];
  });
}

async function boot(): Promise<Rescue> {
  return on({}, async (patient) => {
    await patient.write('main.py', 'print("innocent")\n');
    await patient.write('boot.py', SWALLOWS);
    await patient.device.pressEn();
    return patient.rescue();
  });
}

describe('board: rescue', function () {
  this.timeout(120_000);
  let patient: Patient;
  let byErasing: ReturnType<typeof erasing>;
  let fromBoot: ReturnType<typeof boot>;
  before(() => {
    [byErasing, fromBoot] = [erasing(), boot()];
    // Their own tests look at what came of them.
    for (const each of [byErasing, fromBoot]) each.catch(() => undefined);
  });
  afterEach(() => (patient as Patient | undefined)?.close());

  for (const [what, main] of Object.entries(MISCHIEF)) {
    it(`of a board whose main.py ${what}`, async () => {
      patient = await Patient.start();
      await patient.write('main.py', main);
      await patient.device.pressEn();
      await patient.device.nextEvent(({ name }) => name === 'boot');
      const { started, renamed, erased } = await patient.rescue();
      assert.equal(started, 'prompt');
      assert.deepEqual(renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
      assert.equal(erased, undefined);
      assert.equal(await patient.evaluate('open("/main.py.rescued").read()'), main);
      assert.ok(patient.steps.includes('rename /main.py'), patient.steps.join());
    });
  }

  it('of a board that is silent for long before Python starts, as real ones are', async () => {
    patient = await Patient.start({ bootMs: 1600 });
    await patient.write('main.py', SWALLOWS);
    await patient.device.pressEn();
    assert.deepEqual((await patient.rescue()).renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
    const resets = (): number => patient.device.log().filter(({ name }) => name === 'reset').length;
    patient.device.clearLog();
    // A board that is well is had at once: one reset to get hold of it, one to see it start.
    assert.deepEqual((await patient.rescue()).renamed, []);
    assert.equal(resets(), 2);
  });

  it('keeps what an earlier rescue put aside, and touches nothing on a board that is well', async () => {
    patient = await Patient.start();
    await patient.write('main.py.rescued', 'first');
    await patient.write('main.py', SWALLOWS);
    await patient.device.pressEn();
    assert.deepEqual((await patient.rescue()).renamed, [{ from: '/main.py', to: '/main.py.rescued2' }]);
    assert.equal(await patient.evaluate('open("/main.py.rescued").read()'), 'first');
    assert.deepEqual((await patient.rescue()).renamed, []);
  });

  it('over a port without lines', async function () {
    if (process.platform !== 'linux') {
      console.log('SKIPPED: the pty door is for Linux');
      this.skip();
    }
    patient = await Patient.start({ rfc2217: false, pty: true });
    await patient.write('main.py', `${WORKS}${SLEEPS_AT_ONCE}`);
    await patient.device.pressEn();
    const done = patient.rescue({
      onStep: (name) => {
        if (name === 'press-en') void patient.device.pressEn();
      },
    });
    assert.deepEqual((await done).renamed, [{ from: '/main.py', to: '/main.py.rescued' }]);
  });

  it('erases nothing where the files are not to blame', async () => {
    patient = await Patient.start();
    await patient.write('keep.txt', 'precious');
    await patient.device.fault({ kind: 'brown-out' });
    await patient.device.pressEn();
    await assert.rejects(patient.rescue({ erase: true }), failsWith('boot-failed', { heard: 'brown-out' }));
    await patient.device.clearFaults();
    await patient.device.pressEn();
    assert.equal(await patient.evaluate('open("/keep.txt").read()'), 'precious');
    assert.equal(patient.backups.size, 0);
  });

  it('of a board whose boot.py is to blame: main.py too is put aside', async () => {
    const { renamed } = await fromBoot;
    assert.deepEqual(
      renamed.map(({ from }) => from),
      ['/main.py', '/boot.py'],
    );
  });

  it('of a board that cannot be had: its files are read, then erased, if that is allowed', async () => {
    const [{ started, renamed, erased }, backups, files] = await byErasing;
    assert.deepEqual(
      { started, renamed, label: erased?.label },
      { started: 'prompt', renamed: [], label: 'vfs' },
    );
    assert.ok(backups.get('vfs')?.includes('precious'));
    assert.deepEqual(files, ['boot.py']);
  });
});
