/** Makes files as people have them: UF2, Intel HEX, zip, and the build folder of ESP-IDF. */
import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';

export interface Placed {
  address: number;
  bytes: Uint8Array;
}

interface Uf2Style {
  /** 0 for none. */
  family?: number;
  size?: number;
  /** Where each block has an MD5 of its own data, if at all. */
  md5?: 'at the end' | 'behind the data';
  /** As esptool does it: each part is numbered from 0. */
  numberedApart?: boolean;
}

/** A UF2 file with all its parts; blocks of 256 bytes, numbered throughout, as uf2conv writes them. */
export function uf2(parts: readonly Placed[], style: Uf2Style = {}): Buffer {
  const { family = 0x1c5f21b0, size = 256, md5, numberedApart = false } = style;
  const cut = parts.map(({ address, bytes }) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
      address: address + i * size,
      data: bytes.subarray(i * size, (i + 1) * size),
    })),
  );
  const runs = numberedApart ? cut : [cut.flat()];
  const made = runs.flatMap((blocks) =>
    blocks.map(({ address, data }, i) => {
      const block = Buffer.alloc(512);
      const flags = (md5 ? 0x4000 : 0) | (family === 0 ? 0 : 0x2000);
      [0x0a324655, 0x9e5d5157, flags, address, data.length, i, blocks.length, family].forEach((word, at) =>
        block.writeUInt32LE(word, at * 4),
      );
      block.set(data, 32);
      if (md5) {
        const tail = md5 === 'at the end' ? 484 : 32 + data.length;
        block.writeUInt32LE(address, tail);
        block.writeUInt32LE(data.length, tail + 4);
        block.set(createHash('md5').update(data).digest(), tail + 8);
      }
      block.writeUInt32LE(0x0ab16f30, 508);
      return block;
    }),
  );
  return Buffer.concat(made);
}

/** One record: length, address, type, data, checksum. */
export function hexRecord(type: number, address: number, data: Uint8Array): string {
  const fields = Buffer.from([data.length, address >> 8, address & 0xff, type, ...data]);
  const sum = fields.reduce((total, byte) => total + byte, 0);
  return `:${fields.toString('hex')}${(-sum & 0xff).toString(16).padStart(2, '0')}`.toUpperCase();
}

/** Records of 16 bytes with extended linear addresses, as `esptool merge-bin --format hex` writes them. */
export function intelHex(parts: readonly Placed[], newline = '\n'): Buffer {
  const lines: string[] = [];
  for (const { address, bytes } of parts) {
    let upper = -1;
    for (let i = 0; i < bytes.length; i += 16) {
      const at = address + i;
      if (at >> 16 !== upper) {
        upper = at >> 16;
        lines.push(hexRecord(4, 0, Uint8Array.from([upper >> 8, upper & 0xff])));
      }
      lines.push(hexRecord(0, at & 0xffff, bytes.subarray(i, i + 16)));
    }
  }
  return Buffer.from([...lines, hexRecord(1, 0, new Uint8Array()), ''].join(newline));
}

export interface Packed {
  path: string;
  bytes: Uint8Array;
  stored?: boolean;
  flags?: number;
  /** Lies about the size unpacked. */
  size?: number;
}

/** A zip archive with its central directory. */
export function zip(files: readonly Packed[], comment = ''): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { path, bytes, stored = false, flags = 0, size = bytes.length } of files) {
    const name = Buffer.from(path);
    const packed = stored ? Buffer.from(bytes) : deflateRawSync(bytes);
    const shared = Buffer.alloc(26);
    [20, flags, stored ? 0 : 8, 0, 0].forEach((word, i) => shared.writeUInt16LE(word, i * 2));
    [crc32(bytes), packed.length, size].forEach((word, i) => shared.writeUInt32LE(word, 10 + i * 4));
    shared.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    entry.set(shared, 6);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, name);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), shared, name, packed]);
    bodies.push(body);
    at += body.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...bodies, list, end, Buffer.from(comment)]);
}

/** The files of an ESP-IDF build, `flasher_args.json` among them. */
export function idfBuild(changes: Record<string, unknown> = {}): Packed[] {
  const args = {
    write_flash_args: ['--flash_mode', 'dio', '--flash_size', '4MB', '--flash_freq', '40m'],
    flash_settings: { flash_mode: 'dio', flash_size: '4MB', flash_freq: '40m' },
    flash_files: {
      '0x1000': 'bootloader/bootloader.bin',
      '0x10000': 'hello.bin',
      '0x8000': 'partition_table/partition-table.bin',
    },
    bootloader: { offset: '0x1000', file: 'bootloader/bootloader.bin', encrypted: 'false' },
    app: { offset: '0x10000', file: 'hello.bin', encrypted: 'false' },
    'partition-table': { offset: '0x8000', file: 'partition_table/partition-table.bin', encrypted: 'false' },
    extra_esptool_args: { after: 'hard_reset', before: 'default_reset', stub: true, chip: 'esp32' },
    ...changes,
  };
  return [
    { path: 'flasher_args.json', bytes: Buffer.from(JSON.stringify(args)) },
    { path: 'bootloader/bootloader.bin', bytes: noise(5000, 1) },
    { path: 'partition_table/partition-table.bin', bytes: noise(0xc00, 2), stored: true },
    { path: 'hello.bin', bytes: noise(20_000, 3) },
    { path: 'hello.elf', bytes: noise(30_000, 4) },
  ];
}

/** Bytes without meaning, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
