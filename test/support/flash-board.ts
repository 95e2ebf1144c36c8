/** Flashing a virtual board as the board floor does it, at the fastest rate. */
import { checkParts } from '../../lib/esp/place.ts';
import { flash } from '../../lib/esp/flash.ts';
import type { FlashEvent, FlashOptions, FlashResult } from '../../lib/esp/flash.ts';
import type { FlashSource } from '../../lib/esp/place-on-board.ts';
import { strategiesFor } from '../../lib/esp/reset.ts';
import { openTransport } from '../../lib/transport/open.ts';
import type { demoImage } from '../virtual-board/demo-image.ts';
import type { VirtualBoard } from '../virtual-board/launch.ts';

/** NVS as ESP32_GENERIC has it: blank in a release, begun by the firmware itself when it first starts. */
const SETTINGS = { from: 0x9000, to: 0xf000 };

/** Whether the flash holds the image, whatever the firmware made of its settings. */
export async function holds(device: VirtualBoard, { offset, bytes }: DemoImage): Promise<boolean> {
  const flash = Buffer.from(await device.readFlash(offset, bytes.length));
  const [from, to] = [SETTINGS.from - offset, SETTINGS.to - offset];
  flash.set(bytes.subarray(from, to), from);
  return flash.equals(bytes);
}

type DemoImage = ReturnType<typeof demoImage>;

export interface Flashed {
  result: FlashResult;
  events: FlashEvent[];
}

/** Opens the port, flashes, closes. */
export async function flashAt(
  port: string,
  bytes: Uint8Array,
  options: Partial<FlashOptions> = {},
): Promise<Flashed> {
  return flashPartsAt(port, checkParts([{ bytes }]), options);
}

/** The same with parts that were checked, or are fetched when the board is known. */
export async function flashPartsAt(
  port: string,
  source: FlashSource,
  options: Partial<FlashOptions> = {},
): Promise<Flashed> {
  const transport = await openTransport(port);
  const events: FlashEvent[] = [];
  try {
    const result = await flash(transport, source, {
      strategies: strategiesFor({
        kind: transport.kind,
        hasModemLines: transport.hasModemLines,
        platform: process.platform,
      }),
      timeoutMs: 8000,
      baudRate: 921600,
      after: { baudRate: 115200, idleLines: undefined },
      erase: 'needed',
      signal: new AbortController().signal,
      ...options,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    });
    return { result, events };
  } finally {
    await transport.close();
  }
}
