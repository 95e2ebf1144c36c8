/** What a bench tells: one JSON line a case. */

export interface Case {
  bench: string;
  case: string;
  value: number;
  unit: string;
  /** The same by the peer in the same run, where there is one to compare with. */
  peer: number | null;
  /** What the wire alone needs, where the wire is the limit. */
  limit: number | null;
  /** Other ways of doing it in the same run. */
  peers?: Readonly<Record<string, number>>;
  /** The most that `value` may be, or the least where more is better. */
  bar: number;
  ok: boolean;
}

export type Measured = Omit<Case, 'bench' | 'ok' | 'peer' | 'limit'> &
  Partial<Pick<Case, 'peer' | 'limit'>> & { moreIsBetter?: boolean };

/** Makes a line of a measurement, and prints it. */
export type Report = (measured: Measured) => void;

/** A bench is a module with this function. */
export interface Bench {
  run: (report: Report, args: readonly string[]) => Promise<void>;
}

/** The lines of one bench; `ok` where the bar is kept. */
export function reporter(bench: string, print: (line: Case) => void): Report {
  return ({ case: name, value, unit, peer = null, peers, limit = null, bar, moreIsBetter = false }) =>
    print({
      bench,
      case: name,
      value: rounded(value),
      unit,
      peer: peer === null ? null : rounded(peer),
      ...(peers && {
        peers: Object.fromEntries(Object.entries(peers).map(([who, much]) => [who, rounded(much)])),
      }),
      limit: limit === null ? null : rounded(limit),
      bar: rounded(bar),
      ok: moreIsBetter ? value >= bar : value <= bar,
    });
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
