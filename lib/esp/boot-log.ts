/** What the mask ROM's first lines say about how a chip started. Texts: recordings of ROMs, ESP-IDF docs. */

export interface BootMode {
  /** The strapping value as printed, e.g. `0x13`. */
  value: string;
  /** Whether the chip waits for a host, rather than starting its flash. */
  download: boolean;
}

const BOOT_LINE = /boot:(0x[0-9a-f]+)\s*\(([^\r\n]*)/gi;

/** The last boot line of the text, if any. */
export function bootMode(text: string): BootMode | undefined {
  const last = [...text.matchAll(BOOT_LINE)].at(-1);
  if (!last) return undefined;
  const [, value = '', mode = ''] = last;
  return {
    value: value.toLowerCase(),
    download: /DOWNLOAD/i.test(mode) || text.includes('waiting for download', last.index),
  };
}

/** What befell a chip that prints this instead of an answer. Texts: ESP-IDF's panic handler, ROMs. */
const MISHAPS: readonly { heard: 'brown-out' | 'panic' | 'restarted'; sign: RegExp }[] = [
  { heard: 'brown-out', sign: /Brownout detector was triggered|BROWN_?OUT/ },
  { heard: 'panic', sign: /Guru Meditation Error|abort\(\) was called|Fatal exception/ },
  { heard: 'restarted', sign: /rst:0x[0-9a-f]+ \(|rst cause:/ },
];

/** The mishap that a text tells of, the most telling one of several; `undefined` without any. */
export function mishapIn(text: string): 'brown-out' | 'panic' | 'restarted' | undefined {
  return MISHAPS.find(({ sign }) => sign.test(text))?.heard;
}

/** Mostly unprintable text: the line runs at another rate than the port. */
export function looksLikeWrongBaud(text: string): boolean {
  if (text.length < 16) return false;
  return text.replace(/[\t\r\n\x20-\x7e]/g, '').length > text.length / 3;
}
