/** A web server on this machine that answers as a test wants, and counts what it was asked. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import assert from 'node:assert/strict';
import type { FirmwareErrorCode } from '../../lib/firmware/errors.ts';
import { CodedError } from '../../lib/errors/coded-error.ts';
import type { WebErrorCode } from '../../lib/web/errors.ts';
import { demoImage } from '../virtual-board/demo-image.ts';
import type { DownloadEvent, SourceOptions } from '../../lib/firmware/source.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class FileServer {
  readonly requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  #answers = new Map<string, Answer>();
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      this.requests.push({ path, headers: request.headers });
      const answer = this.#answers.get(path);
      if (answer) answer(request, response);
      else response.writeHead(404).end('not here');
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody answers from now on. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  on(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  /** A file as a web server gives it, with ETag and 304. */
  file(path: string, bytes: Uint8Array | string, etag?: string): void {
    this.on(path, (request, response) => {
      if (etag !== undefined && request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.writeHead(200, { 'content-length': bytes.length, ...(etag ? { etag } : {}) }).end(bytes);
    });
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }
}

/** A server with MicroPython's downloads, as its site has them: one release, for the ESP32. */
export async function startCatalogue(): Promise<FileServer> {
  const server = new FileServer();
  await server.start();
  const firmware = '/firmware/ESP32_GENERIC-20251209-v1.27.0.bin';
  server.file('/download/ESP32_GENERIC/', `<a href="${firmware}">v1.27.0</a>`);
  server.file(firmware, demoImage().bytes);
  return server;
}

/** A server, a folder and the options of a source, new for each test of a suite. */
export class Bench {
  server = new FileServer();
  folder = '';
  events: DownloadEvent[] = [];

  options(changes: Partial<SourceOptions> = {}): SourceOptions {
    return {
      cacheDir: join(this.folder, 'cache'),
      catalogueUrl: this.server.url('/download/'),
      maxBytes: 1024 * 1024,
      timeoutMs: 2000,
      signal: new AbortController().signal,
      onEvent: (event) => this.events.push(event),
      ...changes,
    };
  }

  /** The events of one kind. */
  told(kind: DownloadEvent['kind']): DownloadEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }
}

export function withBench(): Bench {
  const bench = new Bench();
  beforeEach(async () => {
    bench.server = new FileServer();
    bench.events = [];
    bench.folder = await mkdtemp(join(tmpdir(), 'firmware-'));
    await bench.server.start();
  });
  afterEach(async () => {
    await bench.server.stop();
    await rm(bench.folder, { recursive: true, force: true });
  });
  return bench;
}

/** Fails with just this code, and facts that hold these. */
export async function refuses(
  work: Promise<unknown> | (() => unknown),
  code: FirmwareErrorCode | WebErrorCode,
  facts: Record<string, unknown> = {},
): Promise<void> {
  const error = await (typeof work === 'function' ? Promise.resolve().then(work) : work).then(
    () => assert.fail(`it should fail with ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, code, error.message);
  for (const [key, value] of Object.entries(facts)) assert.deepEqual(error.facts[key], value, key);
}
