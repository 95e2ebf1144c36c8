import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DO,
  DONT,
  escapeTelnet,
  IAC,
  subnegotiation,
  TelnetDecoder,
  TelnetOptions,
  WILL,
  WONT,
} from '../../lib/transport/telnet.ts';
import type { Verb } from '../../lib/transport/telnet.ts';

type Event = ['data', number[]] | ['option', Verb, number] | ['sub', number, number[]];

const unexpected = (): void => {
  throw new Error('unexpected');
};

/** Decodes pieces; data that is not divided by a command is one event. */
function decode(pieces: Iterable<Uint8Array>): Event[] {
  const events: Event[] = [];
  const decoder = new TelnetDecoder({
    data: (bytes) => {
      const last = events.at(-1);
      if (last?.[0] === 'data') last[1].push(...bytes);
      else events.push(['data', [...bytes]]);
    },
    option: (verb, option) => events.push(['option', verb, option]),
    subnegotiation: (option, payload) => events.push(['sub', option, [...payload]]),
  });
  for (const piece of pieces) decoder.push(piece);
  return events;
}

function* split(bytes: Uint8Array, cuts: readonly number[]): Iterable<Uint8Array> {
  let at = 0;
  for (const cut of cuts) {
    yield bytes.slice(at, at + cut);
    at += cut;
  }
  yield bytes.slice(at);
}

/** Bytes in which FF, SB and SE are frequent. */
const bytes = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(IAC, 250, 240, 0, 13)), {
  maxLength: 60,
});
const cuts = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 40 });
const events = fc.array(
  fc.oneof(
    bytes.filter((all) => all.length > 0).map((all): Event => ['data', all]),
    fc
      .tuple(fc.constantFrom<Verb>(WILL, WONT, DO, DONT), fc.integer({ min: 0, max: 255 }))
      .map(([verb, option]): Event => ['option', verb, option]),
    fc
      .tuple(fc.integer({ min: 0, max: 255 }), bytes)
      .map(([option, payload]): Event => ['sub', option, payload]),
  ),
  { maxLength: 12 },
);

function encode(event: Event): Uint8Array {
  if (event[0] === 'data') return escapeTelnet(Uint8Array.from(event[1]));
  if (event[0] === 'option') return Uint8Array.of(IAC, event[1], event[2]);
  return subnegotiation(event[1], Uint8Array.from(event[2]));
}

describe('transport: telnet codec', () => {
  it('gives back whatever is put in, however it is split', () => {
    fc.assert(
      fc.property(events, cuts, (sent, where) => {
        const stream = Buffer.concat(sent.map(encode));
        const joined = decode([stream]);
        assert.deepEqual(decode(split(stream, where)), joined);
        const payload = (all: Event[]): number[] =>
          all.flatMap((event) => (event[0] === 'data' ? event[1] : []));
        const commands = (all: Event[]): Event[] => all.filter((event) => event[0] !== 'data');
        assert.deepEqual(payload(joined), payload(sent));
        assert.deepEqual(commands(joined), commands(sent));
      }),
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        cuts,
        (noise, where) => void decode(split(noise, where)),
      ),
    );
  });

  it('doubles FF and nothing else', () => {
    assert.deepEqual(
      [...escapeTelnet(Uint8Array.of(255, 0, 255, 255, 13))],
      [255, 255, 0, 255, 255, 255, 255, 13],
    );
    const plain = Uint8Array.of(1, 2, 254);
    assert.equal(escapeTelnet(plain), plain);
  });

  it('passes a piece without commands on without copying it', () => {
    const piece = Uint8Array.of(1, 2, 3);
    const heard: Uint8Array[] = [];
    const decoder = new TelnetDecoder({
      data: (all) => heard.push(all),
      option: unexpected,
      subnegotiation: unexpected,
    });
    decoder.push(piece);
    assert.equal(heard[0], piece);
  });

  it('skips commands that mean nothing here', () => {
    assert.deepEqual(decode([Uint8Array.of(65, IAC, 241, 66, IAC, 249, IAC, 246, 67)]), [
      ['data', [65, 66, 67]],
    ]);
  });

  it('ends a sub-negotiation that lacks its end at the next command', () => {
    assert.deepEqual(decode([Uint8Array.of(IAC, 250, 44, 101, 7, IAC, WILL, 3, 65)]), [
      ['sub', 44, [101, 7]],
      ['option', WILL, 3],
      ['data', [65]],
    ]);
  });

  it('drops a sub-negotiation without end instead of keeping it', () => {
    const subs: number[] = [];
    const decoder = new TelnetDecoder({
      data: unexpected,
      option: unexpected,
      subnegotiation: (option) => subs.push(option),
    });
    decoder.push(Uint8Array.of(IAC, 250, 44));
    for (let piece = 0; piece < 100; piece++) decoder.push(new Uint8Array(1000));
    decoder.push(Uint8Array.of(IAC, 240));
    decoder.push(subnegotiation(44, Uint8Array.of(1)));
    assert.equal(decoder.oversized, 1);
    assert.deepEqual(subs, [44]);
  });
});

describe('transport: telnet options', () => {
  function side(willing: number[], wanted: number[]): { options: TelnetOptions; sent: number[] } {
    const sent: number[] = [];
    return { options: new TelnetOptions(willing, wanted, (out) => sent.push(...out)), sent };
  }

  it('asks once and takes the answers for answers', () => {
    const { options, sent } = side([44], [0]);
    assert.deepEqual([...options.start([0])], [IAC, WILL, 44, IAC, DO, 0]);
    options.receive(DO, 44);
    options.receive(WILL, 0);
    options.receive(WILL, 0);
    assert.deepEqual(sent, []);
    assert.ok(options.ours(44) && options.theirs(0));
  });

  it('knows when it is refused', () => {
    const { options, sent } = side([44], []);
    options.start([]);
    options.receive(DONT, 44);
    assert.ok(options.refused(44) && !options.ours(44));
    assert.deepEqual(sent, []);
  });

  it('agrees to what it knows and refuses the rest, each once', () => {
    const { options, sent } = side([0], [3]);
    options.receive(WILL, 3);
    options.receive(WILL, 1);
    options.receive(DO, 0);
    options.receive(DO, 24);
    assert.deepEqual(sent, [IAC, DO, 3, IAC, DONT, 1, IAC, WILL, 0, IAC, WONT, 24]);
  });

  it('gives up an option the peer takes back', () => {
    const { options, sent } = side([0], []);
    options.start([]);
    options.receive(DO, 0);
    options.receive(DONT, 0);
    options.receive(DONT, 0);
    assert.deepEqual(sent, [IAC, WONT, 0]);
    assert.ok(!options.ours(0));
  });

  it('comes to rest against another of its kind, whatever they want', () => {
    const some = fc.uniqueArray(fc.constantFrom(0, 1, 3, 44), { maxLength: 4 });
    fc.assert(
      fc.property(some, some, some, some, some, some, (willA, wantA, willB, wantB, askA, askB) => {
        const queue: { to: 'a' | 'b'; bytes: Uint8Array }[] = [];
        const a = new TelnetOptions(willA, wantA, (out) => queue.push({ to: 'b', bytes: out }));
        const b = new TelnetOptions(willB, wantB, (out) => queue.push({ to: 'a', bytes: out }));
        queue.push({ to: 'b', bytes: a.start(askA) }, { to: 'a', bytes: b.start(askB) });
        let rounds = 0;
        for (let next = queue.shift(); next; next = queue.shift()) {
          assert.ok(++rounds < 50, 'they keep answering each other');
          for (let at = 0; at < next.bytes.length; at += 3) {
            (next.to === 'a' ? a : b).receive(next.bytes[at + 1] as Verb, next.bytes[at + 2]!);
          }
        }
      }),
    );
  });
});
