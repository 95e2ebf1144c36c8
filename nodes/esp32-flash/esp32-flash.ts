/** The `esp32 flash` node: firmware in, a board that runs it out. */
import type { NodeAPI } from 'node-red';
import { flashBoard, recogniseFirmware } from '../../lib/board/jobs.ts';
import type { Firmware, FlashJobEvent, FlashJobResult } from '../../lib/board/jobs.ts';
import { registerJobNode } from '../../lib/runtime/job-node.ts';
import type { JobContext, JobNodeDef } from '../../lib/runtime/job-node.ts';
import { firmwareBytes, oneOf, optionalOffset, typedProperty } from '../../lib/runtime/properties.ts';

interface FlashDef extends JobNodeDef {
  firmware: string;
  firmwareType: string;
  erase: string;
  /** Decimal or hex; empty: where the image says. */
  offset: string;
}

interface Request {
  firmware: Firmware;
  erase: 'needed' | 'all';
  offset: number | undefined;
  force: boolean;
}

export default function register(RED: NodeAPI): void {
  registerJobNode<FlashDef, Request, FlashJobResult & { seconds: number }>(RED, {
    type: 'esp32-flash',
    read: async (api, node, def, msg) => ({
      firmware: recogniseFirmware(
        await firmwareBytes(await typedProperty(api, node, msg, def.firmware, def.firmwareType)),
      ),
      erase: oneOf(msg['erase'] ?? def.erase, ['needed', 'all'], 'needed', 'erase'),
      offset: optionalOffset(msg['offset'] ?? def.offset),
      force: msg['force'] === true,
    }),
    run: async ({ firmware, ...wish }, context) => {
      const began = performance.now();
      const result = await flashBoard(context.board, firmware, {
        ...wish,
        baudRate: context.node.flashBaudRate,
        connectTimeoutMs: context.node.connectTimeoutMs,
        signal: context.signal,
        onWait: context.onWait,
        onEvent: (event) => showEvent(event, context),
      });
      return { ...result, seconds: Math.round((performance.now() - began) / 100) / 10 };
    },
    finish: (result, msg) => {
      msg.payload = result;
      const { micropython, started } = result;
      if (started === 'press-en') return { key: 'press-en' };
      return micropython ? { key: 'runs', facts: { version: micropython.version } } : { key: 'done' };
    },
  });
}

function showEvent(event: FlashJobEvent, { phase, progress }: JobContext): void {
  const { kind, ...facts } = event;
  if (event.kind === 'writing') progress({ phase: kind, done: event.done, total: event.total });
  else phase(kind, facts);
}
