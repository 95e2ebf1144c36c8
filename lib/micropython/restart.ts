/** A board that restarted while code ran: told from what it printed, however much that is. */
import { hear } from './boot.ts';
import { MicroPythonError } from './errors.ts';
import { resetReason } from './resets.ts';

/** First words of the mask ROM (ESP32 family, ESP8266) and of MicroPython's own restart. */
const SIGN = /\brst:0x[0-9a-f]+ \(\w+\),boot:0x|ets \w{3} +\d+ \d{4},rst cause:|MPY: soft reboot\r\n/;
/** What comes soon behind them, of a board that does start anew; a program may print a sign as well. */
const START = /entry 0x|load:0x|load 0x|invalid header|waiting for download|MicroPython v|raw REPL/;
/** Why it did, which a panic handler says before pages of registers and stack. */
const CAUSE = /Guru Meditation Error|abort\(\) was called|Brownout detector was triggered/;
/** Core, then the reason, as ESP-IDF's panic handler prints it. */
const PANIC = /Guru Meditation Error: Core +\d+ panic'ed(?: \(([^)]*)\))?|(abort\(\)) was called/;

/** No sign is longer. */
const MAX_SIGN = 100;
const MAX_TAIL = 2000;
const MAX_CAUSE = 300;
/** The end of a program that printed a sign still comes, or more output. */
const GRACE_MS = 2000;

export class RestartWatch {
  /** The last that came, in which a sign may have begun. */
  #tail = '';
  /** From its first words on. */
  #cause = '';
  /** From the sign on. */
  #since = '';
  /** When it is known whether the board has restarted: `performance.now()`; absent as long as nothing looks like it. */
  judgedAt: number | undefined;

  hear(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('latin1');
    const fresh = this.#tail + text;
    this.#tail = fresh.slice(-MAX_SIGN);
    this.#cause = from(CAUSE, this.#cause, text, fresh).slice(0, MAX_CAUSE);
    this.#since = from(SIGN, this.#since, text, fresh).slice(0, MAX_TAIL);
    if (this.#since !== '') this.judgedAt ??= performance.now() + GRACE_MS;
  }

  /** Throws 'board-restarted', 'brown-out' or 'panic' once that is sure. */
  judge(): void {
    if (this.judgedAt === undefined || performance.now() < this.judgedAt) return;
    if (this.#cause !== '' || START.test(this.#since)) throw restartError(this.#cause, this.#since);
    [this.#tail, this.#cause, this.#since, this.judgedAt] = ['', '', '', undefined];
  }
}

/** What is known from a sign on, grown by the text that has just come; `fresh`: with what came before it. */
function from(sign: RegExp, known: string, text: string, fresh: string): string {
  if (known !== '') return known + text;
  const at = fresh.search(sign);
  return at < 0 ? '' : fresh.slice(at);
}

function restartError(cause: string, since: string): MicroPythonError {
  const facts = { tail: (cause + since).slice(0, MAX_TAIL), reset: resetReason(since) ?? '' };
  const heard = hear(cause);
  if (heard === 'brown-out') return new MicroPythonError('brown-out', 'the board lacks power', facts);
  if (heard !== 'panic') return new MicroPythonError('board-restarted', 'the board restarted', facts);
  const [, reason = 'unknown', abort] = PANIC.exec(cause) ?? [];
  return new MicroPythonError('panic', 'the board crashed', { ...facts, reason: abort ?? reason });
}
