/** The shapes in which the runtime and its editor tell each other things. Types only. */

/** What went wrong: the words are made in the editor, in the language of its user (`diagnosis.<code>`). */
export interface Failure {
  code: string;
  /** For the words, and as evidence. */
  facts: Record<string, unknown>;
}

/** Every answer that is no success. */
export interface FailureAnswer {
  failure: Failure;
}

/** A port of the machine Node-RED runs on. */
export interface Port {
  path: string;
  likely: boolean;
  present?: boolean;
  /** `usb:…`, which stays when the path changes. */
  device?: string;
  adapter?: { name: string; kind: 'bridge' | 'usb-jtag' | 'usb-rom' | 'usb-app' };
  manufacturer?: string;
  product?: string;
  serialNumber?: string;
  locationId?: string;
}

export interface Trouble {
  code: string;
  facts: Record<string, string | number>;
}

/** `GET esp32-board/ports` */
export interface Ports {
  ports: Port[];
  troubles: Trouble[];
}

/** `POST esp32-board/identify`: a board as its dialog has it, saved or not. */
export interface BoardSettings {
  /** Of the config node, where it has been deployed. */
  id?: string;
  port: string;
  device?: string;
  baudRate?: string;
  flashBaudRate?: string;
  idleLines?: string;
  resetSequence?: string;
  connectTimeout?: string;
}

/** What a board says it is. */
export interface Identity {
  chip: string;
  package?: string;
  revision?: string;
  features?: string[];
  /** Bytes. */
  flashSize?: number;
  mac?: string;
  /** `v1.24.0` */
  micropython?: string;
  /** What else is on it. */
  application?: string;
  /** The port cannot reset the board: it waits in its loader. */
  pressEn?: boolean;
}

/** Told on the topic `esp32-board/identify/<job>`, and of flashing: a step and how far it is. */
export interface Step {
  phase: string;
  done?: number;
  total?: number;
  facts?: Record<string, unknown>;
}

/** `GET esp32-board/boards`: the boards that are deployed. */
export interface DeployedBoard {
  id: string;
  name: string;
  port: string;
}

/** How the terminal's board is. */
export type TerminalState =
  | { kind: 'opening' }
  | { kind: 'live' }
  | { kind: 'paused'; job: string }
  | { kind: 'gone'; failure: Failure }
  /** Nobody listens any more: the board was redeployed, or nobody said that they watch. */
  | { kind: 'ended' };

/** Told on the topic `esp32-terminal/<board>`: what the board printed, or how it is. */
export interface TerminalNews {
  /** One more with every news; what is older than an answer of `watch` is in that answer already. */
  count: number;
  text?: string;
  /** Characters that were left out, because the board printed faster than people read. */
  skipped?: number;
  state?: TerminalState;
}

/** `POST esp32-board/<board>/terminal/watch`, at least every `WATCH_MS`. */
export interface TerminalNow {
  count: number;
  /** What the board printed last. */
  text: string;
  state: TerminalState;
}

/** A file or folder of the board; paths are from the root. */
export interface BoardFile {
  path: string;
  isFolder: boolean;
  bytes: number;
}

/** `GET esp32-board/<board>/files` */
export interface BoardFiles {
  files: BoardFile[];
  space: { total: number; free: number };
}

/** Told on the topic `esp32-files/<board>` while a file is written. */
export interface FileProgress {
  path: string;
  done: number;
  total: number;
}

/** What lies where in a flash, and what becomes of it. */
export interface FlashRegion {
  label: string;
  kind: 'loader' | 'table' | 'app' | 'data' | 'free';
  offset: number;
  size: number;
  write: number;
  fate: 'stays' | 'written' | 'erased' | 'lost';
}

export interface FlashMap {
  flashSize: number;
  regions: FlashRegion[];
  /** Where is written, in this order. */
  parts: { offset: number; size: number }[];
  /** Bytes of the firmware, and of them to be written. */
  total: number;
  write: number;
  losses: { label: string; why: string }[];
  /** Whether it could be read what is on the board. */
  boardRead: boolean;
}

/** `POST esp32-board/<board>/flash/{plan,start}` */
export interface FlashRequest {
  source: 'micropython' | 'file' | 'url';
  /** Empty: the newest. */
  version?: string;
  url?: string;
  sha256?: string;
  erase: 'needed' | 'all';
}

/** `GET esp32-board/<board>/flash`, and told on the topic `esp32-flash/<board>`. */
export interface FlashState {
  phase: 'idle' | 'planning' | 'planned' | 'flashing' | 'done' | 'failed';
  /** What is flashed, as a person calls it. */
  firmware?: string;
  request?: FlashRequest;
  chip?: string;
  step?: Step & { percent?: number; rate?: number; secondsLeft?: number };
  map?: FlashMap;
  /** `verified`: all was found equal; a chip that hides its flash cannot tell. */
  result?: { started: string; version?: string; written: number; seconds: number; verified: boolean };
  failure?: Failure;
}
