/** What a board prints on its way up, and what it says about its state. */
import { Inbox } from '../transport/inbox.ts';
import type { Transport } from '../transport/transport.ts';
import { MicroPythonError } from './errors.ts';
import { ignoreTimeout } from './ignore-timeout.ts';
import { Resets } from './resets.ts';
import { parseTraceback } from './traceback.ts';
import type { PythonError } from './traceback.ts';

export interface BootReport {
  /** `v1.24.0`, from the banner. */
  version: string;
  /** `Generic ESP32 module with ESP32`. */
  machine: string;
}

export type Heard = 'nothing' | 'garbage' | 'loader' | 'boot-loop' | 'brown-out' | 'panic' | 'text';

const BANNER = /MicroPython (v\S+) on \S+; ([^\r\n]+)/g;

/** The last banner in a text. */
export function findBanner(text: string): BootReport | undefined {
  const [, version, machine] = [...text.matchAll(BANNER)].at(-1) ?? [];
  return version === undefined || machine === undefined ? undefined : { version, machine };
}

/** Signs of trouble in a boot log, the plainest first. Texts: mask ROM, ESP-IDF's loader and panic handler. */
const SIGNS: readonly { heard: Heard; sign: RegExp }[] = [
  { heard: 'brown-out', sign: /Brownout detector was triggered/ },
  { heard: 'panic', sign: /Guru Meditation Error|abort\(\) was called|Fatal exception \(\d+\)/ },
  { heard: 'loader', sign: /waiting for download|DOWNLOAD_BOOT|DOWNLOAD\(/ },
  { heard: 'boot-loop', sign: /invalid header: 0x|No bootable app partitions|flash read err|ets_main\.c/ },
  { heard: 'boot-loop', sign: /csum err:0x|load partition table error|secure boot verification failed/i },
];

/** One word for what came from the board while it did not behave. `text` is one character a byte. */
export function hear(text: string): Heard {
  if (text.length === 0) return 'nothing';
  const known = SIGNS.find(({ sign }) => sign.test(text));
  if (known) return known.heard;
  const readable = Buffer.from(text, 'latin1').toString('utf8');
  const odd = readable.match(/[^\t\r\n\x20-\x7e\xa0-\ufffc]/g)?.length ?? 0;
  return odd > readable.length / 3 ? 'garbage' : 'text';
}

/** Whether a text shows that a board has started anew: from its mask ROM, or MicroPython alone. */
export function saysRestart(text: string): boolean {
  return /MPY: soft reboot|rst:0x[0-9a-f]+ \(|Type "help\(\)" for more/.test(text);
}

/** How a board came up after a reset. */
export interface Boot {
  /**
   * `prompt`: MicroPython waits for input. `program`: something runs, which was heard to start. `silent`: nothing at
   * all came, which proves nothing.
   */
  started: 'prompt' | 'program' | 'silent';
  /** Where MicroPython said so. */
  micropython?: BootReport;
  /** What boot.py or main.py raised, where the board came to its prompt by that. */
  error?: PythonError;
}

/** At the end of what came before the banner: by an exception that nobody caught. */
const RAISED = /Traceback \(most recent call last\):\r\n(?: {2}File [^\r\n]*\r\n)+[^\r\n]+\r\n$/;

function raisedIn(log: string): PythonError | undefined {
  const [text] = RAISED.exec(log.slice(0, log.lastIndexOf('MicroPython v'))) ?? [];
  return text === undefined ? undefined : parseTraceback(Buffer.from(text, 'latin1').toString('utf8'));
}

/** Each sign may come once by chance; a board that repeats it, or restarts so often by itself, does not come up. */
const REPEATS = 3;
/** A board that has restarted by itself is watched for so long at least: it may do so again. */
const RESTART_MS = 3000;
const PROMPT = /MicroPython v[^\r\n]*\r\n[^\r\n]*help[^\r\n]*\r\n(?:[^\r\n]*\r\n)*>>> $/;
/** The line begins as a prompt does, whose text `sys.ps1` may have changed; it is one if nothing more comes. */
const LIKE_PROMPT = /MicroPython v[^\r\n]*\r\n[^\r\n]*help[^\r\n]*\r\n[^\r\n]{1,20}$/;
const PROMPT_MS = 700;
const MAX_LOG = 8192;

export interface WatchOptions {
  timeoutMs: number;
  /** Milliseconds after which a board that has said nothing at all will not; default `timeoutMs`. */
  silentMs?: number;
  signal: AbortSignal;
  /** What the board prints, as it comes. */
  onOutput?: (bytes: Uint8Array) => void;
  /** Ask a silent board for its banner (Ctrl-B): a port that opens late has missed it. */
  asks?: boolean;
}

const CTRL_B = Uint8Array.of(0x02);
/** A board that does not come to its prompt by itself is asked so often. */
const ASK_EVERY_MS = 1000;

/**
 * Reads a board's boot, by default without typing anything, which would be input to its program.
 * Throws `MicroPythonError` 'boot-failed' for a board that restarts again and again, or stays in the loader.
 */
export async function watchBoot(transport: Transport, options: WatchOptions): Promise<Boot> {
  const asking = options.asks ? setInterval(() => void ask(transport), ASK_EVERY_MS) : undefined;
  try {
    return await readBoot(new Inbox(transport), options);
  } finally {
    clearInterval(asking);
  }
}

async function ask(transport: Transport): Promise<void> {
  // A port that is gone tells so where it is read.
  await transport.write(CTRL_B).catch(() => undefined);
}

/** `log`: what was heard of this start before. */
async function readBoot(inbox: Inbox, options: WatchOptions, log = ''): Promise<Boot> {
  const { timeoutMs, silentMs = timeoutMs, signal } = options;
  const began = performance.now();
  let deadline = began + silentMs;
  const resets = new Resets();
  // The first is the one that begins the watch.
  const isStuck = (): boolean => isLooping(log) || resets.count > REPEATS;
  const isPrompt = (): boolean => PROMPT.test(log) || LIKE_PROMPT.test(log);
  while (!PROMPT.test(log) && !isStuck()) {
    const limit = isPrompt() ? performance.now() + PROMPT_MS : deadline;
    const bytes = await inbox.some({ deadline: limit, signal }).catch(ignoreTimeout);
    if (!bytes) break;
    deadline = Math.max(deadline, began + timeoutMs);
    options.onOutput?.(bytes);
    const text = Buffer.from(bytes).toString('latin1');
    const before = resets.count;
    resets.hear(text);
    if (resets.count > Math.max(before, 1)) deadline = Math.max(deadline, performance.now() + RESTART_MS);
    log = (log + text).slice(-MAX_LOG);
  }
  const micropython = findBanner(log);
  if (isPrompt() && micropython) {
    const error = raisedIn(log);
    return { started: 'prompt', micropython, ...(error ? { error } : {}) };
  }
  const heard = hear(repeats(log) > 1 ? log : sinceReset(log));
  if (heard === 'nothing') return { started: 'silent' };
  if (heard === 'text' && !isStuck()) return { started: 'program', ...(micropython ? { micropython } : {}) };
  throw bootFailed(heard === 'text' ? 'restarts' : heard, log, resets.last);
}

/** `restarts`: again and again, and what it prints is no sign of why. `comes-and-goes`: so does its port. */
type Failing = Exclude<Heard, 'text'> | 'restarts' | 'comes-and-goes';

/** The error for a board that does not come up; `reset` is the reason its mask ROM printed last. */
export function bootFailed(heard: Failing, log = '', reset = ''): MicroPythonError {
  const facts = { heard, tail: log.slice(-2000), reset };
  return new MicroPythonError('boot-failed', `the board does not come up (${heard})`, facts);
}

/** Whether a text says again and again what no board that comes up says. */
export function isLooping(text: string): boolean {
  return repeats(text) >= REPEATS;
}

function repeats(log: string): number {
  return Math.max(...SIGNS.map(({ sign }) => log.split(sign).length - 1));
}

/** What a board did before it reset itself and ran on is over. */
function sinceReset(log: string): string {
  return log.split(/(?=rst:0x[0-9a-f]+ \(|rst cause:)/).at(-1) ?? '';
}

const CTRL_D = Uint8Array.of(0x04);
const REBOOT = 'MPY: soft reboot\r\n';
const REBOOT_TIMEOUT_MS = 5000;

/** Soft reset at the friendly prompt: a fresh heap, then boot.py and main.py. Throws as `watchBoot`. */
export async function softReset(transport: Transport, options: WatchOptions): Promise<Boot> {
  return readBoot(await beginSoftReset(transport, options.signal), options, REBOOT);
}

/** The same without a look at what comes: returns when the board has begun anew. */
export async function beginSoftReset(transport: Transport, signal: AbortSignal): Promise<Inbox> {
  const inbox = new Inbox(transport);
  await transport.write(CTRL_D);
  await inbox.until(REBOOT, { timeoutMs: REBOOT_TIMEOUT_MS, signal });
  return inbox;
}
