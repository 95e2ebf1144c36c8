/** Packets and conversations as a mask ROM and the stub were recorded to have them. */
import assert from 'node:assert/strict';
import { connect } from '../../lib/esp/connect.ts';
import { identify } from '../../lib/esp/identify.ts';
import { Loader, romMode, STUB_MODE } from '../../lib/esp/loader.ts';
import {
  checksum,
  dataBlock,
  decodeAnswer,
  encodeRequest,
  OPS,
  reasonText,
  words,
} from '../../lib/esp/protocol.ts';
import { BY_HAND } from '../../lib/esp/reset.ts';
import { encodeFrame, FrameDecoder } from '../../lib/esp/slip.ts';
import { regionMd5 } from '../../lib/esp/verify.ts';
import { failsWith } from '../support/failures.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const never = new AbortController().signal;

/** A chip that answers each op with frames, written as hex. */
function chip(answers: Record<number, string[]>): { loader: Loader; transport: ScriptedTransport } {
  const decoder = new FrameDecoder();
  const transport = new ScriptedTransport((written, say) => {
    for (const request of decoder.push(written)) {
      for (const answer of answers[request[1]!] ?? []) say(encodeFrame(bytes(answer)));
    }
  });
  return { loader: new Loader(transport, never), transport };
}

describe('esp: packets', () => {
  it('encodes requests as they were recorded', () => {
    const cases: [Uint8Array, string][] = [
      [encodeRequest('READ_REG', words(0x40001000)), '00 0a 04 00 00 00 00 00 00 10 00 40'],
      [encodeRequest('GET_SECURITY_INFO', new Uint8Array()), '00 14 00 00 00 00 00 00'],
      [
        encodeRequest('MEM_BEGIN', words(0x17fc, 1, 0x1800, 0x400a8000)),
        '00 05 10 00 00 00 00 00 fc 17 00 00 01 00 00 00 00 18 00 00 00 80 0a 40',
      ],
      [
        encodeRequest('CHANGE_BAUDRATE', words(460800, 115200)),
        '00 0f 08 00 00 00 00 00 00 08 07 00 00 c2 01 00',
      ],
    ];
    for (const [packet, recorded] of cases) assert.equal(hex(packet), recorded.replaceAll(' ', ''));
  });

  it('puts length and sequence before a block, and its checksum over the bytes alone', () => {
    const block = Uint8Array.of(1, 2, 4);
    assert.equal(checksum(block), 0xef ^ 7);
    const packet = encodeRequest('FLASH_DATA', dataBlock(block, 5), checksum(block));
    assert.equal(hex(packet), '00031300e800000003000000050000000000000000000000010204');
  });

  it('decodes answers, and takes nothing else for one', () => {
    const answer = decodeAnswer(bytes('01 0a 04 00 83 1d f0 00 00 00 00 00'))!;
    assert.deepEqual([answer.op, answer.value, hex(answer.body)], [OPS.READ_REG, 0x00f01d83, '00000000']);
    const others = ['', '01', '01 08 04 00 07 07 12', '00 08 24 00 00 00 00 00 07 07', '4f 48 41 49'];
    for (const other of others) assert.equal(decodeAnswer(bytes(other)), undefined, other);
    // Cut short: the length says four, two came.
    assert.equal(decodeAnswer(bytes('01 08 04 00 07 07 12 20 00 00')), undefined);
    // A byte of the value came twice.
    assert.equal(decodeAnswer(bytes('01 0a 04 00 0a 0a 24 00 00 00 00 00 00')), undefined);
  });

  it('has words for every reason, known or not', () => {
    assert.match(reasonText(0x07), /checksum/);
    assert.match(reasonText(0xc7), /inflat/);
    assert.equal(reasonText(0x42), 'an unknown reason');
  });
});

describe('esp: one command, one answer', () => {
  it('takes the value of a register', async () => {
    const { loader } = chip({ [OPS.READ_REG]: ['01 0a 04 00 83 1d f0 00 00 00 00 00'] });
    assert.equal(await loader.readRegister(0x40001000), 0x00f01d83);
  });

  it('hears an unknown command under the op before, and is in step after it', async () => {
    const refusal = '01 08 04 00 07 07 12 20 01 05 00 00';
    const { loader } = chip({
      [OPS.GET_SECURITY_INFO]: Array<string>(8).fill(refusal),
      [OPS.READ_REG]: ['01 0a 04 00 00 82 00 00 00 00 00 00'],
    });
    await assert.rejects(
      loader.command('GET_SECURITY_INFO', undefined, { resultLength: 20 }),
      failsWith('command-unsupported', { operation: 'GET_SECURITY_INFO' }),
    );
    assert.equal(await loader.readRegister(0x3ff5a00c), 0x8200);
  });

  it('reads the status behind the result: 2 bytes of the stub, 4 of the ROM', async () => {
    const digest = '90 54 68 eb 0a a4 ea 8e ec aa b4 80 ea 33 01 80';
    const stub = chip({ [OPS.SPI_FLASH_MD5]: [`01 13 12 00 00 00 00 00 ${digest} 00 00`] });
    stub.loader.mode = STUB_MODE;
    assert.equal(await regionMd5(stub.loader, 0x10000, 40_000), digest.replaceAll(' ', ''));

    const ascii = Buffer.from(digest.replaceAll(' ', '')).toString('hex');
    const rom = chip({ [OPS.SPI_FLASH_MD5]: [`01 13 24 00 00 00 10 00 ${ascii} 00 00 00 00`] });
    rom.loader.mode = romMode(undefined);
    assert.equal(await regionMd5(rom.loader, 0x20000, 40_000), digest.replaceAll(' ', ''));
  });

  it('tells the reason of a refusal, which comes without the result', async () => {
    const rom = chip({ [OPS.SPI_FLASH_MD5]: ['01 13 04 00 00 00 00 00 01 06 00 00'] });
    await assert.rejects(regionMd5(rom.loader, 0, 16), failsWith('command-failed', { reason: 6 }));
    const stub = chip({ [OPS.SPI_FLASH_MD5]: ['01 13 02 00 00 00 00 00 c6 00'] });
    stub.loader.mode = STUB_MODE;
    await assert.rejects(regionMd5(stub.loader, 0, 16), failsWith('command-failed', { reason: 0xc6 }));
    const block = chip({ [OPS.MEM_DATA]: ['01 07 04 00 56 34 12 c4 01 07 00 00'] });
    await assert.rejects(
      block.loader.command('MEM_DATA', dataBlock(bytes('00'), 0)),
      failsWith('command-failed', { operation: 'MEM_DATA', reason: 7 }),
    );
  });

  it('refuses a success that lacks its result, and an answer without a status', async () => {
    const empty = chip({ [OPS.SPI_FLASH_MD5]: ['01 13 04 00 00 00 00 00 00 00 00 00'] });
    await assert.rejects(regionMd5(empty.loader, 0, 16), failsWith('command-failed'));
    const short = chip({ [OPS.SPI_ATTACH]: ['01 0d 01 00 00 00 00 00 00'] });
    await assert.rejects(short.loader.command('SPI_ATTACH'), failsWith('bad-answer'));
  });

  it('passes over answers to others, damaged ones and text between them', async () => {
    const { loader, transport } = chip({
      [OPS.READ_REG]: [
        '01 08 04 00 07 07 12 20 00 00 00 00',
        '01 0a 04 00 83 1d',
        '01 0a 04 00 78 56 34 12 00 00 00 00',
      ],
    });
    transport.say('ets Jul 29 2019 12:21:46\r\nwaiting for download\r\n');
    assert.equal(await loader.readRegister(0), 0x12345678);
    assert.match(loader.log, /waiting for download/);
  });

  it('gives up a command that is not answered, naming it', async () => {
    const { loader } = chip({});
    await assert.rejects(
      loader.command('SPI_ATTACH', words(0), { timeoutMs: 20 }),
      failsWith('command-timeout', { operation: 'SPI_ATTACH' }),
    );
  });

  it('tells what befell a chip that says so instead of an answer', async () => {
    for (const [text, heard] of [
      ['\r\nBrownout detector was triggered\r\n\r\nets Jul 29 2019 12:21:46\r\n', 'brown-out'],
      ["Guru Meditation Error: Core  0 panic'ed (LoadProhibited)\r\n", 'panic'],
      ['rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n', 'restarted'],
    ] as const) {
      const { loader, transport } = chip({ [OPS.READ_REG]: ['01 0a 04 00 00 00 00 00 00 00 00 00'] });
      // What it printed before an answer is over.
      transport.say('rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n');
      await loader.readRegister(0);
      const silent = await loader.command('SPI_ATTACH', words(0), { timeoutMs: 20 }).catch((e: unknown) => e);
      assert.equal((silent as { facts: { heard?: string } }).facts.heard, undefined);
      transport.say(text);
      await assert.rejects(
        loader.command('SPI_ATTACH', words(0), { timeoutMs: 20 }),
        failsWith('command-timeout', { heard, tail: text }),
      );
    }
  });

  it('throws the reason of an abort, and the loss of the port', async () => {
    const stop = new AbortController();
    const transport = new ScriptedTransport();
    const waiting = new Loader(transport, stop.signal).command('SPI_ATTACH');
    stop.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    const lost = new Loader(transport, never).command('SPI_ATTACH');
    transport.lose(new Error('unplugged'));
    await assert.rejects(lost, /unplugged/);
  });
});

describe('esp: who answers SYNC', () => {
  const sync = (value: string): string => `01 08 04 00 ${value} 00 00 00 00`;
  const OPTIONS = { strategies: [BY_HAND], timeoutMs: 1000, signal: never, onEvent: () => undefined };
  const reached = async (values: string[]): Promise<string> => {
    const { transport } = chip({ [OPS.SYNC]: values.map(sync) });
    return (await connect(transport, OPTIONS)).mode.name;
  };

  it('is a stub where the value is 0 in all answers, else a mask ROM', async () => {
    const [zero, other] = ['00 00 00 00', '07 07 12 20'];
    assert.equal(await reached(Array<string>(8).fill(zero)), 'stub');
    assert.equal(await reached([zero, ...Array<string>(7).fill(other)]), 'ROM');
    assert.equal(await reached(Array<string>(8).fill(other)), 'ROM');
  });
});

describe('esp: which chip it is', () => {
  const magic = (word: string): string => `01 0a 04 00 ${word} 00 00 00 00`;
  const info = (flags: string, crypt: string, id: string): string =>
    `01 14 18 00 00 00 00 00 ${flags} ${crypt} 00 00 00 00 00 00 00 ${id} 00 00 00 00 00 00 00 00`;

  it('knows the oldest by a word of their ROM, all others by the id they tell', async () => {
    const esp32 = chip({ [OPS.READ_REG]: [magic('83 1d f0 00')] });
    assert.equal((await identify(esp32.loader)).chip.name, 'ESP32');
    const c3 = chip({
      [OPS.READ_REG]: [magic('6f 50 31 1b')],
      [OPS.GET_SECURITY_INFO]: [info('00 00 00 00', '00', '05 00 00 00')],
    });
    const { chip: found, security, details } = await identify(c3.loader);
    assert.equal(found.name, 'ESP32-C3');
    assert.deepEqual(details, {
      jtagDisabled: false,
      usbDisabled: false,
      cryptCount: 0,
      keyPurposes: Array<number>(7).fill(0),
      revokedKeys: [],
      apiVersion: 0,
    });
    assert.deepEqual(security, { secureBoot: false, secureDownload: false, flashEncryption: false });
  });

  it('takes the short security info of the ESP32-S2', async () => {
    const s2 = chip({
      [OPS.READ_REG]: [magic('c6 07 00 00')],
      [OPS.GET_SECURITY_INFO]: ['01 14 10 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00'],
    });
    const { chip: found, security } = await identify(s2.loader);
    assert.equal(found.name, 'ESP32-S2');
    assert.deepEqual(security, { secureBoot: true, secureDownload: false, flashEncryption: false });
  });

  it('reads what secures a chip: an odd number of bits means that the flash is encrypted', async () => {
    const flags: [string, string, object][] = [
      ['01 00 00 00', '00', { secureBoot: true, secureDownload: false, flashEncryption: false }],
      ['04 00 00 00', '03', { secureBoot: false, secureDownload: true, flashEncryption: false }],
      ['00 00 00 00', '07', { secureBoot: false, secureDownload: false, flashEncryption: true }],
    ];
    for (const [word, crypt, expected] of flags) {
      const s3 = chip({
        [OPS.READ_REG]: ['01 0a 04 00 00 00 00 00 01 05 00 00'],
        [OPS.GET_SECURITY_INFO]: [info(word, crypt, '09 00 00 00')],
      });
      const { chip: found, security } = await identify(s3.loader);
      assert.equal(found.name, 'ESP32-S3');
      assert.deepEqual(security, expected);
    }
  });

  it('asks once more when it knows neither: an answer carries no checksum', async () => {
    const words = [magic('83 1d f1 00'), magic('83 1d f0 00')];
    const ids = [info('00 00 00 00', '00', '63 00 00 00')];
    const { loader } = chip({
      get [OPS.READ_REG]() {
        // The fuses that are read afterwards say nothing.
        return [words.shift() ?? magic('00 00 00 00')];
      },
      [OPS.GET_SECURITY_INFO]: ids,
    });
    assert.equal((await identify(loader)).chip.name, 'ESP32');
  });

  it('tells what else is burnt', async () => {
    const [flags, crypt, purposes] = ['58 01 00 00', '07', '04 09 00 00 00 00 00'];
    const { loader } = chip({
      [OPS.READ_REG]: ['01 0a 04 00 00 00 00 00 01 05 00 00'],
      [OPS.GET_SECURITY_INFO]: [
        `01 14 18 00 00 00 00 00 ${flags} ${crypt} ${purposes} 09 00 00 00 03 00 00 00 00 00 00 00`,
      ],
    });
    assert.deepEqual((await identify(loader)).details, {
      jtagDisabled: true,
      usbDisabled: true,
      cryptCount: 7,
      keyPurposes: [4, 9, 0, 0, 0, 0, 0],
      revokedKeys: [0, 1],
      apiVersion: 3,
    });
  });

  it('says so when it knows neither word nor id', async () => {
    const unknown = chip({
      [OPS.READ_REG]: [magic('ef be ad de')],
      [OPS.GET_SECURITY_INFO]: [info('00 00 00 00', '00', '63 00 00 00')],
    });
    await assert.rejects(identify(unknown.loader), failsWith('unknown-chip', { magic: 0xdeadbeef, id: 99 }));
  });
});
