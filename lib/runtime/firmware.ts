/** Firmware as a message names it: bytes, a path, a URL, a name of MicroPython's catalogue, a list. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { checkParts, wrongChip } from '../board/loader-jobs.ts';
import type { Copy, FlashSource } from '../board/loader-jobs.ts';
import { readBackup } from '../firmware/backup-folder.ts';
import { catalogueVersions, MICROPYTHON_DOWNLOADS } from '../firmware/catalogue.ts';
import { firmwareSource } from '../firmware/source.ts';
import type { DownloadEvent } from '../firmware/source.ts';
import { kindOf } from '../errors/facts.ts';
import { InputError } from './diagnosis.ts';
import { hostPath } from './host-files.ts';
import type { Reading } from './job-node.ts';
import { anyBytesOf } from './properties.ts';

/** As large as any flash. */
const MAX_BYTES = 128 * 1024 * 1024;
/** Longest silence of a server. */
const TIMEOUT_MS = 30_000;

/**
 * Reads and checks firmware; what depends on the chip is fetched when it is known. Downloads are kept in the
 * user folder; the setting `esp32FlashCatalogue` names another index than micropython.org's.
 * Throws `FirmwareError` and the errors of image checks.
 */
export async function readFirmware(
  RED: NodeAPI,
  value: unknown,
  wish: { sha256?: string | undefined; partition?: string | undefined; force: boolean },
  reading: Reading,
): Promise<FlashSource> {
  const source = await firmwareSource(anyBytesOf(value) ?? value, {
    ...downloadOptions(RED),
    ...(wish.sha256 === undefined ? {} : { sha256: wish.sha256 }),
    signal: reading.signal,
    onEvent: (event) => showDownload(event, reading),
    localPath: (path) => hostPath(RED, path),
  });
  if (source.kind === 'for-chip') {
    return async ({ chip, flashSize, description = { features: [] } }) => {
      const target = { ...description, chip: chip.name, flashSize };
      return checkParts(await source.load(target, reading.signal));
    };
  }
  const parts = checkParts(source.parts, wish);
  const { chip: named } = source;
  if (named === undefined) return parts;
  return ({ chip }) => {
    if (named !== chip.name && !wish.force) throw wrongChip(named, chip);
    return Promise.resolve(parts);
  };
}

/** The releases of MicroPython there are to choose from. Throws `FirmwareError`. */
export async function micropythonVersions(RED: NodeAPI, signal: AbortSignal): Promise<string[]> {
  return catalogueVersions({ ...downloadOptions(RED), signal });
}

function downloadOptions(RED: NodeAPI): {
  cacheDir: string;
  catalogueUrl: string;
  maxBytes: number;
  timeoutMs: number;
} {
  const settings = RED.settings as unknown as { userDir?: string; esp32FlashCatalogue?: string };
  return {
    cacheDir: join(settings.userDir ?? tmpdir(), 'esp32-firmware'),
    catalogueUrl: settings.esp32FlashCatalogue ?? MICROPYTHON_DOWNLOADS,
    maxBytes: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
  };
}

function showDownload(event: DownloadEvent, { progress, phase }: Reading): void {
  const { kind, ...facts } = event;
  if (event.kind !== 'downloading') phase(kind, facts);
  else if (event.total === undefined) progress({ phase: kind });
  else progress({ phase: kind, done: event.done, total: event.total });
}

/**
 * A copy of the flash as a message names it: the list a flash node has made (with bytes or paths), a folder or file
 * of this machine, or bytes. Throws `InputError`, `FirmwareError`.
 */
export async function readCopies(RED: NodeAPI, value: unknown): Promise<Copy[]> {
  const bytes = anyBytesOf(value);
  if (bytes && bytes.length > 0) return [{ data: bytes }];
  if (typeof value === 'string' && value.trim() !== '') return readBackup(await hostPath(RED, value));
  if (!Array.isArray(value) || value.length === 0) throw noCopy(value);
  return Promise.all(value.map((each) => readCopy(RED, each)));
}

async function readCopy(RED: NodeAPI, value: unknown): Promise<Copy> {
  const { label, offset, data, path } = Object(value) as Record<string, unknown>;
  const bytes =
    anyBytesOf(data) ??
    (typeof path === 'string' ? (await readBackup(await hostPath(RED, path)))[0]?.data : undefined);
  if (!bytes) throw noCopy([value]);
  return {
    data: bytes,
    ...(typeof label === 'string' ? { label } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
  };
}

function noCopy(value: unknown): InputError {
  const found = Array.isArray(value) ? `[${value.map(kindOf).join(', ')}]` : kindOf(value);
  const expected = 'Buffer | path | [{ label, offset, data | path }]';
  return new InputError('bad-payload', 'there is no copy to write back', {
    property: 'payload',
    expected,
    found,
  });
}
