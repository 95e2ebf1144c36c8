/**
 * The form of every error of this package: a code for programs, facts for whoever explains it, a message for logs.
 * Which codes there are, and which facts each carries, stands with the class of the floor that throws it.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, facts: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }

  /** Adds what a caller knows beyond the place that threw. */
  tell(facts: Record<string, unknown>): this {
    Object.assign(this.facts, facts);
    return this;
  }

  /** The same, for one of many jobs that it ends, as a cancel does: what is told of one is not told of all. */
  copy(): CodedError<Code> {
    return new CodedError(this.code, this.message, { ...this.facts }, this);
  }
}
