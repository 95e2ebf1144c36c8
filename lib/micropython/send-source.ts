/**
 * Getting source code into the raw REPL: by raw paste, which the board paces itself, or on older firmware
 * slowly enough for its small input buffer. Source: MicroPython docs "Raw-paste mode".
 */
import type { RawRepl } from './raw-repl.ts';

/** Whether a firmware knows raw paste; learned once a connection. */
export type PasteSupport = 'unknown' | 'yes' | 'no';

const PASTE_REQUEST = '\x05A\x01';
const END = 0x04;
const WINDOW_READ = 0x01;
/** The board compiles while it receives and takes its time over it. */
const WINDOW_TIMEOUT_MS = 10_000;
/**
 * Plain raw mode has no flow control, and firmware so old that it knows nothing else runs on boards with small
 * input buffers: tools for the ESP8266 send 30 bytes each 10 ms.
 */
const PLAIN_CHUNK = 30;
const PLAIN_PAUSE_MS = 10;
/** Bytes the REPL takes for keys of its own. */
const KEYS = /[\x01-\x05]/;

/** Sends source; on return the code runs, or was refused and the traceback follows. */
export async function sendSource(repl: RawRepl, source: string, paste: PasteSupport): Promise<PasteSupport> {
  const bytes = Buffer.from(KEYS.test(source) ? wrapped(source) : source, 'utf8');
  const known = paste === 'no' ? 'no' : await requestPaste(repl);
  if (known === 'yes') await sendPaste(repl, bytes);
  else await sendPlain(repl, bytes);
  return known;
}

/** Code with control bytes in its strings, as text without them. */
function wrapped(source: string): string {
  const text = Buffer.from(source, 'utf8').toString('base64');
  return `import binascii\nexec(binascii.a2b_base64('${text}'))`;
}

async function requestPaste(repl: RawRepl): Promise<PasteSupport> {
  await repl.write(PASTE_REQUEST);
  const answer = Buffer.from(await repl.read(2)).toString('latin1');
  if (answer === 'R\x01') return 'yes';
  if (answer === 'R\x00') return 'no';
  // Older firmware took the A for code and Ctrl-A for a restart of the raw REPL: its banner follows.
  if (answer === 'ra') {
    await repl.expect('w REPL; CTRL-B to exit\r\n>');
    return 'no';
  }
  throw repl.confused('an answer to raw paste');
}

/** The board grants windows; an end from its side means that it has found an error and wants no more. */
async function sendPaste(repl: RawRepl, bytes: Uint8Array): Promise<void> {
  const window = Buffer.from(await repl.read(2)).readUInt16LE();
  let credit = window;
  for (let at = 0; at < bytes.length;) {
    if (credit === 0) {
      const windows = await repl.countLeading(WINDOW_READ, WINDOW_TIMEOUT_MS);
      if (windows === 0) break;
      credit += window * windows;
    }
    const piece = bytes.subarray(at, at + credit);
    await repl.write(piece);
    at += piece.length;
    credit -= piece.length;
  }
  await repl.write(Uint8Array.of(END));
  await readEnd(repl);
}

/** Windows granted while the last bytes went out come before the end. */
async function readEnd(repl: RawRepl): Promise<void> {
  const { bytes, ended } = await repl.untilEnd(WINDOW_TIMEOUT_MS);
  if (bytes.some((byte) => byte !== WINDOW_READ)) throw repl.confused('the end of raw paste');
  if (!ended) await readEnd(repl);
}

async function sendPlain(repl: RawRepl, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PLAIN_CHUNK) {
    await repl.write(bytes.subarray(at, at + PLAIN_CHUNK));
    await repl.pause(PLAIN_PAUSE_MS);
  }
  await repl.write(Uint8Array.of(END));
  await repl.expect('OK');
}
