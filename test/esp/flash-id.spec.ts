import assert from 'node:assert/strict';
import { CHIPS } from '../../lib/esp/chips.ts';
import { flashSize, readFlashId } from '../../lib/esp/flash-id.ts';
import { Loader } from '../../lib/esp/loader.ts';
import { OPS } from '../../lib/esp/protocol.ts';
import { encodeFrame, FrameDecoder } from '../../lib/esp/slip.ts';
import { ScriptedTransport } from '../support/scripted-transport.ts';

const KB = 1024;
const MB = 1024 * KB;

describe('esp: flash size by JEDEC id', () => {
  const sizes: [string, number, number][] = [
    ['Winbond W25Q32', 0x1640ef, 4 * MB],
    ['GigaDevice GD25Q64', 0x1740c8, 8 * MB],
    ['XMC XM25QH128', 0x184020, 16 * MB],
    ['Puya P25Q40', 0x136085, 512 * KB],
    ['Macronix MX25U25635', 0x3925c2, 32 * MB],
    ['Winbond W25Q256', 0x1940ef, 32 * MB],
    ['Winbond W25Q512', 0x2040ef, 64 * MB],
    ['a 256 KB part', 0x1240ef, 256 * KB],
    ['Adesto AT25SF041', 0x01841f, 512 * KB],
    ['Adesto AT25SF161', 0x01861f, 2 * MB],
  ];
  for (const [part, id, size] of sizes) {
    it(`${part}: ${size / KB} KB`, () => {
      assert.equal(flashSize(id), size);
    });
  }

  it('is unknown where no flash chip answers', () => {
    for (const id of [0xffffff, 0x000000, 0xffff3f]) assert.equal(flashSize(id), undefined);
  });
});

describe('esp: flash id through the SPI controller', () => {
  /** Registers as a chip has them; the controller puts `id` into W0 once it is started. */
  function controller(registers: Map<number, number>, base: number, w0: number, id: () => number): Loader {
    const decoder = new FrameDecoder();
    const transport = new ScriptedTransport((written, say) => {
      for (const frame of decoder.push(written)) {
        const view = new DataView(frame.buffer, frame.byteOffset);
        const answer = new Uint8Array(10);
        const out = new DataView(answer.buffer);
        answer.set([1, frame[1]!, 2]);
        if (frame[1] === OPS.READ_REG) out.setUint32(4, registers.get(view.getUint32(8, true)) ?? 0, true);
        for (let at = 8; frame[1] === OPS.WRITE_REG && at < frame.length; at += 16) {
          const address = view.getUint32(at, true);
          registers.set(address, view.getUint32(at + 4, true));
          if (address !== base) continue;
          registers.set(base, 0);
          registers.set(base + w0, id());
        }
        say(encodeFrame(answer));
      }
    });
    return new Loader(transport, new AbortController().signal);
  }

  for (const chip of CHIPS) {
    it(`${chip.name}: asks 9F for 24 bits and leaves the controller as it was`, async () => {
      const { base, usr, usr1, usr2, w0, misoLength } = chip.spi;
      const registers = new Map([
        [base + usr, 0x11223344],
        [base + usr2, 0x55667788],
      ]);
      const loader = controller(registers, base, w0, () => 0x1640ef);
      assert.deepEqual(await readFlashId(loader, chip), { id: 0x1640ef, size: 4 * MB });
      assert.equal(registers.get(base + usr), 0x11223344);
      assert.equal(registers.get(base + usr2), 0x55667788);
      const length =
        misoLength === undefined ? registers.get(base + usr1)! >> 8 : registers.get(base + misoLength);
      assert.equal(length, 23);
    });
  }

  it('tells the id of a bus without a chip, which has no size', async () => {
    const chip = CHIPS.find(({ name }) => name === 'ESP32')!;
    const loader = controller(new Map(), chip.spi.base, chip.spi.w0, () => 0xffffff);
    assert.deepEqual(await readFlashId(loader, chip), { id: 0xffffff });
  });

  it('resets a flash chip that answers nonsense, and asks again', async () => {
    const { base, w0, usr2 } = CHIPS.find(({ name }) => name === 'ESP32')!.spi;
    const registers = new Map<number, number>();
    const commands: number[] = [];
    const id = (): number => {
      commands.push(registers.get(base + usr2)! & 0xff);
      return commands.at(-2) === 0x99 ? 0x1640ef : 0xffff3f;
    };
    const chip = CHIPS.find(({ name }) => name === 'ESP32')!;
    assert.equal((await readFlashId(controller(registers, base, w0, id), chip)).size, 4 * MB);
    assert.deepEqual(commands, [0x9f, 0x66, 0x99, 0x9f]);
  });
});
