/** A board that restarted while code ran: told from what it printed. */
import { hear } from './boot.ts';
import { MicroPythonError } from './errors.ts';
import { resetReason } from './resets.ts';

/** First words of the mask ROM (ESP32 family, ESP8266) and of MicroPython's own restart. */
const SIGN = /\brst:0x[0-9a-f]+ \(\w+\),boot:0x|ets \w{3} +\d+ \d{4},rst cause:|MPY: soft reboot\r\n/;
/** Core, then the reason, as ESP-IDF's panic handler prints it. */
const PANIC = /Guru Meditation Error: Core +\d+ panic'ed(?: \(([^)]*)\))?|(abort\(\)) was called/;

/** Whether a text has in it what a board prints that restarts; a program may print it as well. */
export function hasRestartSign(text: string): boolean {
  return SIGN.test(text);
}

/** The error for a run that will never end. `tail` is the last text that came, one character a byte. */
export function restartError(tail: string): MicroPythonError {
  const heard = hear(tail);
  const facts = { tail, reset: resetReason(tail) ?? '' };
  if (heard === 'brown-out') return new MicroPythonError('brown-out', 'the board lacks power', facts);
  if (heard === 'panic') {
    const [, reason, abort] = PANIC.exec(tail) ?? [];
    return new MicroPythonError('panic', 'the board crashed', {
      ...facts,
      reason: reason ?? abort ?? 'unknown',
    });
  }
  return new MicroPythonError('board-restarted', 'the board restarted', facts);
}
