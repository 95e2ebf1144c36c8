/**
 * The telnet protocol as bytes, nothing more: commands cut out of a stream and put into one
 * (RFC 854), option negotiation (RFC 855, without loops as in RFC 1143) and sub-negotiation.
 */

export const IAC = 255;
export const DONT = 254;
export const DO = 253;
export const WONT = 252;
export const WILL = 251;
const SB = 250;
const SE = 240;

/** Telnet options used here: RFC 856, 858, 2217. */
export const BINARY = 0;
export const SUPPRESS_GO_AHEAD = 3;
export const COM_PORT_OPTION = 44;

export type Verb = typeof WILL | typeof WONT | typeof DO | typeof DONT;

export interface TelnetSink {
  /** Payload, unescaped, in order with the commands around it. */
  data(bytes: Uint8Array): void;
  option(verb: Verb, option: number): void;
  /** The bytes between `IAC SB option` and `IAC SE`, unescaped. */
  subnegotiation(option: number, payload: Uint8Array): void;
}

/** Longest sub-negotiation that is read; RFC 2217 needs a few bytes, its signature text some dozen. */
const LONGEST = 1024;

const DATA = 0;
const SEEN_IAC = 1;
const SEEN_VERB = 2;
const SUB_OPTION = 3;
const SUB = 4;
const SUB_IAC = 5;
type State =
  typeof DATA | typeof SEEN_IAC | typeof SEEN_VERB | typeof SUB_OPTION | typeof SUB | typeof SUB_IAC;

/** Cuts a telnet stream into payload and commands, however it is split into pieces. */
export class TelnetDecoder {
  readonly #sink: TelnetSink;
  #state: State = DATA;
  #verb: Verb = WILL;
  #option = 0;
  #payload: number[] = [];
  /** Sub-negotiations longer than 1 KiB; they are dropped. */
  oversized = 0;

  constructor(sink: TelnetSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    // Payload is gathered over escapes into one piece per push and stretch between commands.
    const out = new Uint8Array(bytes.length);
    let length = 0;
    let from = 0;
    const flush = (): void => {
      if (length > from) this.#sink.data(out.subarray(from, length));
      from = length;
    };
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === DATA) {
        const found = bytes.indexOf(IAC, at);
        const end = found === -1 ? bytes.length : found;
        if (at === 0 && found === -1) {
          this.#sink.data(bytes);
          return;
        }
        out.set(bytes.subarray(at, end), length);
        length += end - at;
        at = end + 1;
        if (found !== -1) this.#state = SEEN_IAC;
        continue;
      }
      const byte = bytes[at++] ?? 0;
      if (this.#state === SEEN_IAC && byte === IAC) {
        out[length++] = IAC;
        this.#state = DATA;
      } else {
        flush();
        this.#command(byte);
      }
    }
    flush();
  }

  #command(byte: number): void {
    switch (this.#state) {
      case SEEN_IAC:
        if (byte === WILL || byte === WONT || byte === DO || byte === DONT) {
          this.#verb = byte;
          this.#state = SEEN_VERB;
        } else if (byte === SB) {
          this.#state = SUB_OPTION;
        } else {
          // NOP, GA, AYT and the rest mean nothing on a serial line.
          this.#state = DATA;
        }
        break;
      case SEEN_VERB:
        this.#state = DATA;
        this.#sink.option(this.#verb, byte);
        break;
      case SUB_OPTION:
        this.#option = byte;
        this.#payload = [];
        this.#state = SUB;
        break;
      case SUB:
        if (byte === IAC) this.#state = SUB_IAC;
        else this.#keep(byte);
        break;
      case SUB_IAC:
        if (byte === IAC) {
          this.#keep(byte);
          this.#state = SUB;
        } else {
          // SE ends it; any other command here is a fault of the sender, and ends it as well.
          this.#state = DATA;
          this.#endOfSub();
          if (byte !== SE) {
            this.#state = SEEN_IAC;
            this.#command(byte);
          }
        }
        break;
    }
  }

  #keep(byte: number): void {
    if (this.#payload.length <= LONGEST) this.#payload.push(byte);
  }

  #endOfSub(): void {
    if (this.#payload.length > LONGEST) this.oversized++;
    else this.#sink.subnegotiation(this.#option, Uint8Array.from(this.#payload));
    this.#payload = [];
  }
}

/** Doubles every FF, so that payload is never taken for a command. Without FF: the same array. */
export function escapeTelnet(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (let at = bytes.indexOf(IAC); at !== -1; at = bytes.indexOf(IAC, at + 1)) count++;
  if (count === 0) return bytes;
  const out = new Uint8Array(bytes.length + count);
  let length = 0;
  let from = 0;
  for (let at = bytes.indexOf(IAC); at !== -1; at = bytes.indexOf(IAC, from)) {
    out.set(bytes.subarray(from, at + 1), length);
    length += at + 1 - from;
    out[length++] = IAC;
    from = at + 1;
  }
  out.set(bytes.subarray(from), length);
  return out;
}

/** `IAC SB option … IAC SE` with the payload escaped. */
export function subnegotiation(option: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(IAC, SB, option, ...escapeTelnet(payload), IAC, SE);
}

type Side = 'no' | 'asked' | 'yes';

/**
 * Who does which option. Each side of each option is answered at most once per change, so two peers can
 * never keep answering each other (RFC 1143).
 */
export class TelnetOptions {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #willing: ReadonlySet<number>;
  readonly #wanted: ReadonlySet<number>;
  readonly #ours = new Map<number, Side>();
  readonly #theirs = new Map<number, Side>();
  /** Options of ours the peer does not want. */
  readonly #refused = new Set<number>();

  /** `willing`: options we do ourselves; `wanted`: options the peer may do. */
  constructor(willing: Iterable<number>, wanted: Iterable<number>, send: (bytes: Uint8Array) => void) {
    this.#willing = new Set(willing);
    this.#wanted = new Set(wanted);
    this.#send = send;
  }

  /** Our side of all willing options and the peer's side of `ask`, in one piece. */
  start(ask: Iterable<number>): Uint8Array {
    const out: number[] = [];
    for (const option of this.#willing) {
      this.#ours.set(option, 'asked');
      out.push(IAC, WILL, option);
    }
    for (const option of ask) {
      this.#theirs.set(option, 'asked');
      out.push(IAC, DO, option);
    }
    return Uint8Array.from(out);
  }

  /** Whether we do the option with the peer's consent. */
  ours(option: number): boolean {
    return this.#ours.get(option) === 'yes';
  }

  /** Whether the peer does the option. */
  theirs(option: number): boolean {
    return this.#theirs.get(option) === 'yes';
  }

  /** Whether the peer does not let us do the option. */
  refused(option: number): boolean {
    return this.#refused.has(option);
  }

  receive(verb: Verb, option: number): void {
    const mine = verb === DO || verb === DONT;
    const sides = mine ? this.#ours : this.#theirs;
    const now = sides.get(option) ?? 'no';
    if (verb === DO || verb === WILL) {
      if (now === 'yes') return;
      const agree = (mine ? this.#willing : this.#wanted).has(option);
      if (agree) sides.set(option, 'yes');
      // What we asked for is an answer, not a question.
      if (now === 'asked') return;
      this.#send(Uint8Array.of(IAC, mine ? (agree ? WILL : WONT) : agree ? DO : DONT, option));
    } else {
      sides.set(option, 'no');
      if (mine) this.#refused.add(option);
      if (now === 'yes') this.#send(Uint8Array.of(IAC, mine ? WONT : DONT, option));
    }
  }
}
