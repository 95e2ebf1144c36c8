/**
 * Getting source code into the raw REPL: by raw paste, which the board paces itself, or on older firmware in
 * statements that its small input ring has room for. Source: MicroPython docs "Raw-paste mode".
 */
import { MicroPythonError } from './errors.ts';
import type { RawRepl } from './raw-repl.ts';

/** Whether a firmware knows raw paste; learned once a connection. */
export type PasteSupport = 'unknown' | 'yes' | 'no';

const PASTE_REQUEST = '\x05A\x01';
const END = 0x04;
/** The board compiles while it receives and takes its time over it. */
const WINDOW_TIMEOUT_MS = 10_000;
/**
 * Plain raw mode has no flow control, and firmware so old that it knows nothing else has small input rings: 64 bytes
 * on a micro:bit. What is longer goes in statements of this length, each answered before the next.
 */
const PLAIN_BYTES = 60;
/** The name that code has on the board until it is whole. */
const SENT = '_code';
/** Bytes the REPL takes for keys of its own. */
const KEYS = /[\x01-\x05]/;

/**
 * Sends source; what a timer or thread prints meanwhile is kept apart. On return the code runs, or it was refused and
 * the traceback follows. Returns what is known now of raw paste.
 */
export async function sendSource(repl: RawRepl, source: string, paste: PasteSupport): Promise<PasteSupport> {
  const known = paste === 'no' ? 'no' : await learnPaste(repl);
  if (known === 'yes')
    await sendPaste(repl, Buffer.from(KEYS.test(source) ? wrapped(source) : source, 'utf8'));
  else await sendPlain(repl, source);
  return known;
}

/** Code with control bytes in its strings, as text without them. */
function wrapped(source: string): string {
  const text = Buffer.from(source, 'utf8').toString('base64');
  return `import binascii\nexec(binascii.a2b_base64('${text}'))`;
}

/** What a firmware may answer; older ones take the A for code and Ctrl-A for a restart of the raw REPL. */
const ANSWERS: readonly { answer: string; support: PasteSupport }[] = [
  { answer: 'R\x01', support: 'yes' },
  { answer: 'R\x00', support: 'no' },
  { answer: 'raw REPL; CTRL-B to exit\r\n>', support: 'no' },
];

/** Source that fits into a board's input ring needs no flow control: nothing is asked before it is sent, or after. */
export async function sendShort(repl: RawRepl, source: string): Promise<void> {
  await repl.write(Buffer.concat([Buffer.from(source, 'utf8'), Uint8Array.of(END)]));
}

/** A no is asked for twice: it is remembered, and a request that the line has harmed looks the same. */
async function learnPaste(repl: RawRepl): Promise<PasteSupport> {
  const answer = await requestPaste(repl);
  return answer === 'yes' ? answer : requestPaste(repl);
}

async function requestPaste(repl: RawRepl): Promise<PasteSupport> {
  await repl.write(PASTE_REQUEST);
  const answer = await repl.oneOf(
    ANSWERS.map((each) => each.answer),
    'an answer to raw paste',
  );
  return ANSWERS[answer]?.support ?? 'no';
}

/** The board grants windows; an end from its side means that it has found an error and wants no more. */
async function sendPaste(repl: RawRepl, bytes: Uint8Array): Promise<void> {
  const window = Buffer.from(await repl.read(2)).readUInt16LE();
  let credit = window;
  let ended = false;
  for (let at = 0; at < bytes.length && !ended;) {
    if (credit === 0) {
      const granted = await repl.granted(WINDOW_TIMEOUT_MS);
      credit += window * granted.windows;
      ended = granted.ended;
      continue;
    }
    const piece = bytes.subarray(at, at + credit);
    await repl.write(piece);
    at += piece.length;
    credit -= piece.length;
  }
  await repl.write(Uint8Array.of(END));
  while (!ended) ({ ended } = await repl.granted(WINDOW_TIMEOUT_MS));
}

async function sendPlain(repl: RawRepl, source: string): Promise<void> {
  const isShort = Buffer.byteLength(source) <= PLAIN_BYTES && !KEYS.test(source);
  const begun = isShort ? source : await sendStatements(repl, source);
  await sendShort(repl, begun);
  await repl.oneOf(['OK'], 'OK');
}

/** Puts the source together on the board; returns the statement that runs it and leaves nothing of it behind. */
async function sendStatements(repl: RawRepl, source: string): Promise<string> {
  let operator = '=';
  try {
    for (const literal of literals(source, PLAIN_BYTES - `${SENT}+=''`.length)) {
      await repl.execute(`${SENT}${operator}'${literal}'`);
      operator = '+=';
    }
  } catch (error) {
    // What has come so far takes memory, for the lack of which it ended.
    if (error instanceof MicroPythonError && error.code === 'python-error')
      await repl.execute(`globals().pop('${SENT}',0)`);
    throw error;
  }
  return `exec(globals().pop('${SENT}'))`;
}

/** A text as the insides of Python's literals, of at most so many bytes each. */
function* literals(text: string, most: number): Generator<string> {
  let literal = '';
  for (const character of text) {
    const next = character.replace(/[\\'\x00-\x1f\x7f]/, escaped);
    if (Buffer.byteLength(literal + next) > most) {
      yield literal;
      literal = '';
    }
    literal += next;
  }
  yield literal;
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  const code = character.charCodeAt(0);
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : `\\${character}`;
}
