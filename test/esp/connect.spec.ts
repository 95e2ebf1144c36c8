/** Why no loader answers, told by what the chip prints meanwhile. */
import assert from 'node:assert/strict';
import { connect } from '../../lib/esp/connect.ts';
import type { ConnectEvent } from '../../lib/esp/connect.ts';
import { parseSequence, strategiesFor } from '../../lib/esp/reset.ts';
import type { ResetStrategy } from '../../lib/esp/reset.ts';
import { openTransport } from '../../lib/transport/open.ts';
import { failsWith } from '../support/failures.ts';
import type { Fault } from '../virtual-board/faults.ts';
import { launchBoard } from '../virtual-board/launch.ts';
import type { LaunchOptions } from '../virtual-board/launch.ts';

/** EN alone: what remains of the automatic reset where DTR does not reach IO0. */
const WITHOUT_IO0 = parseSequence('D0|R1|W0.1|R0');
const [USUAL] = strategiesFor({ kind: 'rfc2217', hasModemLines: true, platform: process.platform });
/** A wire to the chip's RX that is broken. */
const DEAF: Fault = { kind: 'drop', every: 1, direction: 'to-chip' };

interface Case {
  what: string;
  strategy: ResetStrategy;
  faults: Fault[];
  board?: LaunchOptions;
  code: string;
  facts: Record<string, unknown>;
  /** What a person is told while the node waits for the buttons. */
  asked: Partial<ConnectEvent>;
}

const CASES: Case[] = [
  {
    what: 'the chip starts its program, whose boot mode it prints',
    strategy: WITHOUT_IO0,
    faults: [],
    code: 'wrong-boot-mode',
    facts: { bootMode: '0x13' },
    asked: { bootMode: '0x13' },
  },
  {
    what: 'the same with noise before its text',
    strategy: WITHOUT_IO0,
    faults: [{ kind: 'boot-noise', bytes: 200 }],
    code: 'wrong-boot-mode',
    facts: { bootMode: '0x13' },
    asked: { bootMode: '0x13' },
  },
  {
    what: 'the chip waits in its loader and hears nothing',
    strategy: USUAL!,
    faults: [DEAF],
    code: 'download-mode-silent',
    facts: {},
    asked: {},
  },
  {
    what: 'nothing comes at all',
    strategy: USUAL!,
    faults: [{ kind: 'silent' }],
    // Its program says nothing before the reset either.
    board: { bootMs: 60_000 },
    code: 'no-answer',
    facts: { heard: 'nothing' },
    asked: {},
  },
  {
    what: 'the chip speaks at another rate, as the ESP8266 does when it boots',
    strategy: USUAL!,
    faults: [DEAF],
    board: { chip: 'esp8266' },
    code: 'no-answer',
    facts: { heard: 'garbage' },
    asked: {},
  },
];

interface Outcome {
  error: unknown;
  asked: ConnectEvent[];
}

describe('esp: a loader that does not answer', () => {
  /** By case; they are tried side by side. */
  const outcomes = new Map<Case, Promise<Outcome>>();
  before(() => {
    for (const each of CASES) outcomes.set(each, tried(each));
  });

  async function tried({ strategy, faults, board: options }: Case): Promise<Outcome> {
    const board = await launchBoard({ timing: 'none', bootMs: 0, ...options });
    for (const fault of faults) await board.fault(fault);
    // What it printed when it was launched is none of the case.
    await board.pressEn();
    const transport = await openTransport(board.rfc2217);
    const events: ConnectEvent[] = [];
    try {
      const connecting = connect(transport, {
        strategies: [strategy],
        timeoutMs: 4000,
        signal: new AbortController().signal,
        onEvent: (event) => events.push(event),
      });
      const error: unknown = await connecting.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return { error, asked: events.filter(({ kind }) => kind === 'press-boot') };
    } finally {
      await transport.close();
      await board.close();
    }
  }

  for (const each of CASES) {
    const { what, code, facts, asked } = each;
    it(`is ${code} where ${what}`, async () => {
      const outcome = await outcomes.get(each)!;
      failsWith(code, facts)(outcome.error);
      assert.deepEqual(outcome.asked, [{ kind: 'press-boot', ...asked }]);
    });
  }
}).timeout(40_000);
