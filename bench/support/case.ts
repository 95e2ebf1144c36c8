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
  /** The most that `value` may be. */
  bar: number;
  ok: boolean;
}

export type Measured = Omit<Case, 'bench' | 'ok' | 'peer' | 'limit'> & Partial<Pick<Case, 'peer' | 'limit'>>;

/** Takes a measurement to its line. */
export type Report = (measured: Measured) => void;

/** A bench is a module with this function. */
export interface Bench {
  run: (report: Report) => Promise<void>;
}

/** The lines of one bench; `ok` where the bar is kept. */
export function reporter(bench: string, print: (line: Case) => void): Report {
  return ({ case: name, value, unit, peer = null, limit = null, bar }) =>
    print({
      bench,
      case: name,
      value: rounded(value),
      unit,
      peer: peer === null ? null : rounded(peer),
      limit: limit === null ? null : rounded(limit),
      bar: rounded(bar),
      ok: value <= bar,
    });
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
