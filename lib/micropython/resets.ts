/** Counts how often a chip is reset while its boot is watched, by the line that its mask ROM prints each time. */

const REASON = /rst:(0x[0-9a-f]+ \(\w+\))|rst cause:(\d+)/;
/** Waking up is what a program wanted: `DEEPSLEEP_RESET` on the ESP32, `DSLEEP` later. */
const WAKING = /SLEEP/;
/** No line of a mask ROM is longer; a program's may be. */
const MAX_LINE = 512;

/** The reason of one reset, `0xc (SW_CPU_RESET)`, or of an ESP8266 its number; nothing in a text without any. */
export function resetReason(text: string): string | undefined {
  const [, name, cause] = REASON.exec(text) ?? [];
  return name ?? cause;
}

export class Resets {
  #line = '';
  #count = 0;
  #last = '';

  /** How many there were, waking up from deep sleep not counted. */
  get count(): number {
    return this.#count;
  }

  /** The reason of the last one; empty without any. */
  get last(): string {
    return this.#last;
  }

  /** What comes next, in any portions. */
  hear(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) {
      const reason = resetReason(line);
      if (reason === undefined || WAKING.test(reason)) continue;
      this.#count++;
      this.#last = reason;
    }
  }
}
