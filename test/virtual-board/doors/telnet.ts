/** The telnet layer (RFC 854) under the RFC 2217 door. */

export const IAC = 255;
export const DONT = 254;
export const DO = 253;
export const WONT = 252;
export const WILL = 251;
export const SB = 250;
export const SE = 240;

/** Doubles the byte that would be a command. */
export const escaped = (bytes: Uint8Array): Uint8Array => {
  if (!bytes.includes(IAC)) return bytes;
  const out: number[] = [];
  for (const byte of bytes) {
    out.push(byte);
    if (byte === IAC) out.push(IAC);
  }
  return Uint8Array.from(out);
};

export interface TelnetHandlers {
  data(bytes: Uint8Array): void;
  negotiate(verb: number, option: number): void;
  subnegotiate(bytes: Uint8Array): void;
}

/** Splits a telnet stream into data, option negotiation and subnegotiations, in order. */
export class TelnetReader {
  readonly #handlers: TelnetHandlers;
  #state: 'data' | 'iac' | 'verb' | 'sub' | 'sub-iac' = 'data';
  #verb = 0;
  #sub: number[] = [];

  constructor(handlers: TelnetHandlers) {
    this.#handlers = handlers;
  }

  take(chunk: Uint8Array): void {
    let data: number[] = [];
    const flush = (): void => {
      if (data.length > 0) this.#handlers.data(Uint8Array.from(data));
      data = [];
    };
    for (const byte of chunk) {
      switch (this.#state) {
        case 'data':
          if (byte === IAC) this.#state = 'iac';
          else data.push(byte);
          break;
        case 'iac':
          if (byte === IAC) {
            data.push(IAC);
            this.#state = 'data';
          } else if (byte === SB) {
            this.#sub = [];
            this.#state = 'sub';
          } else if (byte >= WILL && byte <= DONT) {
            this.#verb = byte;
            this.#state = 'verb';
          } else {
            // NOP, go ahead, break and the like mean nothing to a serial line.
            this.#state = 'data';
          }
          break;
        case 'verb':
          flush();
          this.#handlers.negotiate(this.#verb, byte);
          this.#state = 'data';
          break;
        case 'sub':
          if (byte === IAC) this.#state = 'sub-iac';
          else this.#sub.push(byte);
          break;
        case 'sub-iac':
          if (byte === IAC) {
            this.#sub.push(IAC);
            this.#state = 'sub';
          } else {
            // SE; anything else ends a malformed subnegotiation as well.
            flush();
            if (byte === SE) this.#handlers.subnegotiate(Uint8Array.from(this.#sub));
            this.#state = 'data';
          }
          break;
      }
    }
    flush();
  }
}
