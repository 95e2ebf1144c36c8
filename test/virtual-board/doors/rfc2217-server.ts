/**
 * The board behind a telnet port with COM-PORT-OPTION (RFC 2217 over RFC 854), as a serial device
 * server offers it. One client at a time; a second one is turned away while the first is there.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Board } from '../board.ts';
import { DO, DONT, escaped, IAC, SB, SE, TelnetReader, WILL, WONT } from './telnet.ts';

const OPTION = { BINARY: 0, ECHO: 1, SUPPRESS_GO_AHEAD: 3, COM_PORT: 44 } as const;
const SUPPORTED = new Set<number>([OPTION.BINARY, OPTION.SUPPRESS_GO_AHEAD, OPTION.COM_PORT]);

/** Client to server; the answers are 100 higher. */
const COM = {
  SIGNATURE: 0,
  BAUDRATE: 1,
  DATASIZE: 2,
  PARITY: 3,
  STOPSIZE: 4,
  CONTROL: 5,
  NOTIFY_LINESTATE: 6,
  NOTIFY_MODEMSTATE: 7,
  FLOWCONTROL_SUSPEND: 8,
  FLOWCONTROL_RESUME: 9,
  LINESTATE_MASK: 10,
  MODEMSTATE_MASK: 11,
  PURGE: 12,
} as const;
const ANSWER = 100;

const CONTROL = {
  FLOW_REQUEST: 0,
  FLOW_NONE: 1,
  BREAK_REQUEST: 4,
  BREAK_ON: 5,
  BREAK_OFF: 6,
  DTR_REQUEST: 7,
  DTR_ON: 8,
  DTR_OFF: 9,
  RTS_REQUEST: 10,
  RTS_ON: 11,
  RTS_OFF: 12,
  INBOUND_REQUEST: 13,
  INBOUND_NONE: 14,
} as const;

/** Clear to send, data set ready, carrier: what an adapter with nothing on these pins reports. */
const MODEM_STATE = 0xb0;
/** Stop reading from the client while this much waits for the line. */
const HIGH_WATER = 65536;
const GRACE_MS = 100;

class Session {
  readonly #socket: Socket;
  readonly #board: Board;
  #said = new Set<string>();
  #modemMask = 0xff;
  #break = false;

  constructor(socket: Socket, board: Board) {
    this.#socket = socket;
    this.#board = board;
    const reader = new TelnetReader({
      data: (bytes) => {
        this.#fromClient(bytes);
      },
      negotiate: (verb, option) => {
        this.#negotiate(verb, option);
      },
      subnegotiate: (bytes) => {
        if (bytes[0] === OPTION.COM_PORT) this.#comPort(bytes[1] ?? 0, bytes.subarray(2));
      },
    });
    socket.on('data', (chunk) => {
      reader.take(chunk);
    });
    board.uart.connect({
      data: (bytes) => {
        if (!socket.destroyed) socket.write(escaped(bytes));
      },
    });
    this.#offer(WILL, OPTION.BINARY);
    this.#offer(DO, OPTION.BINARY);
    this.#offer(WILL, OPTION.SUPPRESS_GO_AHEAD);
    this.#offer(DO, OPTION.COM_PORT);
  }

  #fromClient(bytes: Uint8Array): void {
    const { uart } = this.#board;
    uart.write(bytes);
    if (uart.toChipPending < HIGH_WATER) return;
    // The line is slower than the network: the client has to wait as in front of a full adapter.
    this.#socket.pause();
    void uart.toChipDrained().then(() => this.#socket.resume());
  }

  #send(...bytes: number[]): void {
    if (!this.#socket.destroyed) this.#socket.write(Uint8Array.from(bytes));
  }

  #offer(verb: number, option: number): void {
    this.#said.add(`${verb}/${option}`);
    this.#send(IAC, verb, option);
  }

  /** RFC 854: agree to what is supported, refuse the rest, and never answer an answer. */
  #negotiate(verb: number, option: number): void {
    if (verb !== DO && verb !== WILL) return;
    const yes = verb === DO ? WILL : DO;
    const no = verb === DO ? WONT : DONT;
    const answer = SUPPORTED.has(option) ? yes : no;
    if (this.#said.has(`${answer}/${option}`)) return;
    this.#offer(answer, option);
    if (option === OPTION.COM_PORT) this.#notifyModemState();
  }

  #answer(command: number, ...value: number[]): void {
    const escapedValue = value.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
    this.#send(IAC, SB, OPTION.COM_PORT, command + ANSWER, ...escapedValue, IAC, SE);
  }

  #notifyModemState(): void {
    this.#answer(COM.NOTIFY_MODEMSTATE, MODEM_STATE & this.#modemMask);
  }

  #comPort(command: number, value: Uint8Array): void {
    const { uart } = this.#board;
    const first = value[0] ?? 0;
    switch (command) {
      case COM.SIGNATURE:
        if (value.length === 0) this.#answer(command, ...Buffer.from('virtual board'));
        return;
      case COM.BAUDRATE: {
        const asked = Buffer.from(value).readUIntBE(0, Math.min(4, value.length));
        const { maxBaud = Infinity } = this.#board.faults.find('slow-port') ?? {};
        if (asked !== 0 && asked <= maxBaud) uart.hostBaudRate = asked;
        const set = Buffer.alloc(4);
        set.writeUInt32BE(uart.hostBaudRate);
        this.#answer(command, ...set);
        return;
      }
      // The board's UART is 8N1 and nothing else; a request (0) and a setting are answered alike.
      case COM.DATASIZE:
        this.#answer(command, 8);
        return;
      case COM.PARITY:
      case COM.STOPSIZE:
        this.#answer(command, 1);
        return;
      case COM.CONTROL:
        this.#control(first);
        return;
      case COM.NOTIFY_LINESTATE:
        this.#answer(command, 0x60);
        return;
      case COM.NOTIFY_MODEMSTATE:
        this.#notifyModemState();
        return;
      case COM.FLOWCONTROL_SUSPEND:
        uart.suspend(true);
        return;
      case COM.FLOWCONTROL_RESUME:
        uart.suspend(false);
        return;
      case COM.LINESTATE_MASK:
        this.#answer(command, first);
        return;
      case COM.MODEMSTATE_MASK:
        this.#modemMask = first;
        this.#answer(command, first);
        return;
      case COM.PURGE:
        if (first === 1 || first === 3) uart.purge('receive');
        if (first === 2 || first === 3) uart.purge('transmit');
        this.#answer(command, first);
        return;
    }
  }

  #control(value: number): void {
    const { circuit } = this.#board;
    switch (value) {
      case CONTROL.FLOW_REQUEST:
        this.#answer(COM.CONTROL, CONTROL.FLOW_NONE);
        return;
      case CONTROL.INBOUND_REQUEST:
        this.#answer(COM.CONTROL, CONTROL.INBOUND_NONE);
        return;
      case CONTROL.BREAK_REQUEST:
        this.#answer(COM.CONTROL, this.#break ? CONTROL.BREAK_ON : CONTROL.BREAK_OFF);
        return;
      case CONTROL.BREAK_ON:
      case CONTROL.BREAK_OFF:
        this.#break = value === CONTROL.BREAK_ON;
        break;
      case CONTROL.DTR_REQUEST:
        this.#answer(COM.CONTROL, circuit.lines.dtr ? CONTROL.DTR_ON : CONTROL.DTR_OFF);
        return;
      case CONTROL.DTR_ON:
      case CONTROL.DTR_OFF:
        circuit.setDtr(value === CONTROL.DTR_ON);
        break;
      case CONTROL.RTS_REQUEST:
        this.#answer(COM.CONTROL, circuit.lines.rts ? CONTROL.RTS_ON : CONTROL.RTS_OFF);
        return;
      case CONTROL.RTS_ON:
      case CONTROL.RTS_OFF:
        circuit.setRts(value === CONTROL.RTS_ON);
        break;
    }
    this.#answer(COM.CONTROL, value);
  }
}

export class Rfc2217Door {
  readonly #board: Board;
  readonly #server: Server;
  #client: Socket | undefined;
  port = 0;

  constructor(board: Board) {
    this.#board = board;
    this.#server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {
        socket.destroy();
      });
      this.#accept(socket);
    });
  }

  /** Port 0: any free one; afterwards always the same, also after an unplug. */
  async open(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    this.port = typeof address === 'object' && address ? address.port : port;
    return this.port;
  }

  /** Refuses new clients and cuts off the one that is there, until `open()`. */
  async close(): Promise<void> {
    const listening = this.#server.listening;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#client?.resetAndDestroy();
    if (listening) await closed;
  }

  /** A client that is gone but not yet noticed does not keep out the next: the port is tried for a while. */
  #accept(socket: Socket, until = performance.now() + GRACE_MS): void {
    if (this.#client && performance.now() < until) {
      setTimeout(() => {
        if (!this.#server.listening) socket.destroy();
        else if (!socket.destroyed) this.#accept(socket, until);
      }, 5);
      return;
    }
    if (this.#client) {
      // As ser2net does: the port is taken, and that is said before the line is cut.
      socket.end('Port already in use\r\n');
      return;
    }
    this.#client = socket;
    // Opening a port on Linux asserts both lines, which the reset circuit takes for idle.
    this.#board.circuit.setLines(true, true);
    socket.on('close', () => {
      if (this.#client !== socket) return;
      this.#client = undefined;
      this.#board.uart.disconnect();
      // A server closes its port with its client, and a closed port lets go of both lines.
      this.#board.circuit.setLines(this.#board.circuit.lines.dtr, false);
      this.#board.circuit.setLines(false, false);
    });
    new Session(socket, this.#board);
  }
}
