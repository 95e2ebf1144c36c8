/** Reads a node's settings and a message's properties, which have the same names; the message's win. */
import type { Node, NodeAPI } from 'node-red';
import { InputError } from './diagnosis.ts';
import type { JobNodeDef } from './job-node.ts';
import { flag, oneOf, textList, typedProperty } from './properties.ts';
import type { Message } from './properties.ts';

/** What edit fields hold. */
type Setting = string | boolean | undefined;

export class Reader<Def extends JobNodeDef> {
  readonly api: NodeAPI;
  readonly msg: Message;
  readonly def: Def;
  readonly #node: Node;
  readonly #settings: Readonly<Record<string, Setting>>;

  constructor(api: NodeAPI, node: Node, def: Def, msg: Message) {
    this.api = api;
    this.msg = msg;
    this.def = def;
    this.#node = node;
    this.#settings = def as unknown as Record<string, Setting>;
  }

  /** A property: the message's wins over the setting. */
  plain(name: keyof Def & string): unknown {
    return this.msg[name] ?? this.#settings[name];
  }

  /** The same of a typed input; one without a type, of an earlier version of the node, is a text. */
  async typed(name: keyof Def & string): Promise<unknown> {
    return this.msg[name] ?? this.setting(name);
  }

  /** The typed input alone, for what the message carries in its payload. */
  async setting(name: keyof Def & string): Promise<unknown> {
    const value = this.#settings[name];
    const type = this.#settings[`${name}Type`];
    if (value === undefined || type === undefined) return value;
    return typedProperty(this.api, this.#node, this.msg, String(value), String(type));
  }

  /** What the node works on: the typed input says where it is taken from; without one it is the payload. */
  mainInput(name: keyof Def & string): Promise<unknown> {
    const isSet = this.#settings[`${name}Type`] !== undefined;
    return isSet ? this.setting(name) : Promise.resolve(this.msg.payload);
  }

  flag(name: keyof Def & string): boolean {
    return flag(this.plain(name));
  }

  list(name: keyof Def & string): string[] {
    return textList(this.plain(name), name);
  }

  oneOf<T extends string>(name: keyof Def & string, allowed: readonly T[], fallback: T): T {
    return oneOf(this.plain(name), allowed, fallback, name);
  }

  /** Throws `InputError` 'not-confirmed' without the word in `msg.confirm`: one that no flow carries by chance. */
  confirmed(operation: string): void {
    if (this.msg['confirm'] === operation) return;
    throw new InputError('not-confirmed', `${operation} was not confirmed`, { operation, case: operation });
  }
}
