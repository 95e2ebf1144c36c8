/** What every route of the editor does the same way: permission, body, errors as data, an end when nobody waits. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import type { FailureAnswer } from '../editor/wire.ts';
import { CodedError } from '../errors/coded-error.ts';
import { failureOf, InputError } from './diagnosis.ts';

/** One request, as its route sees it. */
export interface Call {
  /** Parts of the path (`:id`). */
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  /** The JSON that came; an empty object where none did. */
  body: Readonly<Record<string, unknown>>;
  /** Aborted when whoever asked is gone. */
  signal: AbortSignal;
  /** The bytes that came as `application/octet-stream`. Throws `InputError` 'body-too-large'. */
  bytes: (limit: number) => Promise<Buffer>;
}

/** Gives JSON, bytes (a `Uint8Array`), or nothing (204). */
export type Answer = (call: Call) => unknown;

/** A page of another site can send forms and text without asking; these it cannot. */
const BODIES = ['application/json', 'application/octet-stream'];

/** Reads are allowed to `esp32-board.read`, what does something to `esp32-board.write`; those are logged for audit. */
export function adminRoutes(RED: NodeAPI): {
  get: (path: string, answer: Answer) => void;
  post: (path: string, answer: Answer, permission?: 'read' | 'write') => void;
} {
  const route =
    (path: string, answer: Answer, isWrite: boolean): RequestHandler =>
    (request, response) => {
      if (isWrite) RED.log.audit({ level: RED.log.AUDIT, msg: { event: path.slice(1) } }, request);
      void answerTo(request, response, answer, (error) => RED.log.error(error));
    };
  return {
    get: (path, answer) => {
      RED.httpAdmin.get(path, RED.auth.needsPermission('esp32-board.read'), route(path, answer, false));
    },
    post: (path, answer, permission = 'write') => {
      const isWrite = permission === 'write';
      const needs = RED.auth.needsPermission(`esp32-board.${permission}`);
      RED.httpAdmin.post(path, needs, route(path, answer, isWrite));
    },
  };
}

async function answerTo(
  request: Request,
  response: Response,
  answer: Answer,
  log: (error: unknown) => void,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new InputError('asker-gone', 'nobody waits for the answer'));
  });
  try {
    if (request.method === 'POST' && !request.is(BODIES)) {
      throw new InputError('bad-payload', 'another kind of body', {
        property: 'Content-Type',
        expected: BODIES.join(' | '),
        found: request.headers['content-type'] ?? 'nothing',
      });
    }
    const result = await answer({
      params: request.params as Record<string, string>,
      query: texts(request.query),
      body: Object(request.body) as Record<string, unknown>,
      signal: gone.signal,
      bytes: (limit) => readBody(request, limit),
    });
    if (result === undefined) response.status(204).end();
    else if (result instanceof Uint8Array)
      response.type('application/octet-stream').send(Buffer.from(result));
    else response.json(result);
  } catch (error) {
    if (!(error instanceof CodedError)) log(error);
    if (gone.signal.aborted) return;
    response.status(statusOf(error)).json({ failure: failureOf(error) } satisfies FailureAnswer);
  }
}

/** What only a faulty or foreign page sends. */
const BAD_REQUESTS = new Set<string>(['bad-payload', 'bad-property', 'body-too-large']);

/** 200: a board that cannot do what was asked is an answer, and browsers report all else as faults of the page. */
function statusOf(error: unknown): number {
  if (error instanceof InputError && BAD_REQUESTS.has(error.code)) return 400;
  return error instanceof CodedError ? 200 : 500;
}

/** What came twice, or as an object, is none. */
function texts(query: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(query).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

async function readBody(request: Request, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    // What is left is read and dropped: who sends hears of the answer only then.
    if (length <= limit) pieces.push(piece);
    else pieces.length = 0;
  }
  if (length > limit)
    throw new InputError('body-too-large', `more than ${limit} bytes`, { limit, size: length });
  return Buffer.concat(pieces);
}
