/** Texts, in the language of whoever looks. */

const PACKAGE = 'node-red-contrib-esp32-micropython';

export type Words = (key: string, facts?: Record<string, unknown>) => string;

/** Texts of one catalogue, `esp32-board` say, by keys under its own name. */
export function wordsOf(catalogue: string): Words {
  return (key, facts) => RED._(`${PACKAGE}/${catalogue}:${catalogue}.${key}`, facts);
}

/** Texts of the diagnoses: `diagnosis.<code>.<part>`. */
export const diagnosisWords: Words = (key, facts) => RED._(`${PACKAGE}/esp32-board:diagnosis.${key}`, facts);

/** `1.5 MB`, `4 KB`, `120 bytes`, as people write sizes of flash. */
export function size(bytes: number): string {
  const units = [
    { unit: 'MB', bytes: 1024 * 1024 },
    { unit: 'KB', bytes: 1024 },
  ];
  const { unit, bytes: one } = units.find((each) => bytes >= each.bytes) ?? { unit: 'bytes', bytes: 1 };
  const count = bytes / one;
  const digits = Number.isInteger(count) || count >= 100 ? 0 : 1;
  return `${count.toLocaleString(undefined, { maximumFractionDigits: digits })} ${unit}`;
}

/** `0x10000` */
export function address(offset: number): string {
  return `0x${offset.toString(16)}`;
}
