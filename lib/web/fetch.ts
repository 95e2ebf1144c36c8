/** One HTTP request for a file, with every bound: size, silence, whole time, redirects. */
import { reasonOf } from '../errors/reason.ts';
import { WebError } from './errors.ts';

export interface FetchOptions {
  /** Most bytes of the body. */
  maxBytes: number;
  /** Longest silence; the whole may take ten times as long, at least. */
  timeoutMs: number;
  signal: AbortSignal;
  onBytes: (done: number, total: number | undefined) => void;
}

/** What the server sent; without `bytes` it said that the file kept here is still the newest. */
export interface Fetched {
  bytes?: Uint8Array;
  etag?: string;
  lastModified?: string;
}

const MAX_REDIRECTS = 5;
const WHOLE_TIME_FACTOR = 10;
const NOT_MODIFIED = 304;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a file. `known` makes the request conditional. Redirects are followed by hand: at most 5, only to
 * http and https, never from https to http.
 * Throws `WebError` 'download-failed', 'download-too-large', 'download-timeout' or 'redirect-refused',
 * and the signal's reason when aborted.
 */
export async function fetchFile(
  url: string,
  known: { etag?: string; lastModified?: string } | undefined,
  options: FetchOptions,
): Promise<Fetched> {
  const watch = new Watch(url, options);
  try {
    const response = await following(url, known, watch.signal);
    watch.alive(0);
    if (response.status === NOT_MODIFIED && known) {
      await response.body?.cancel();
      return {};
    }
    if (!response.ok) throw await refused(url, response);
    const bytes = await readBody(url, response, watch, options);
    const etag = response.headers.get('etag');
    const lastModified = response.headers.get('last-modified');
    return { bytes, ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (watch.expired) throw watch.expired;
    if (error instanceof WebError) throw error;
    const reason = reasonOf(error);
    throw new WebError('download-failed', `${url}: ${reason}`, { url, reason }, error);
  } finally {
    watch.end();
  }
}

/** Whether a later try, or the file kept here, may serve in place of this failure. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof WebError)) return false;
  if (error.code === 'download-timeout') return true;
  const status = error.facts['status'];
  return (
    error.code === 'download-failed' && (status === undefined || status === 429 || Number(status) >= 500)
  );
}

/** `undefined` for a text that is no URL. */
export function urlOf(text: string, base?: string): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}

async function following(
  url: string,
  known: { etag?: string; lastModified?: string } | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {
    'user-agent': 'node-red-contrib-esp32-micropython',
    // What arrives is what is counted and hashed.
    'accept-encoding': 'identity',
    ...(known?.etag ? { 'if-none-match': known.etag } : {}),
    ...(known?.lastModified ? { 'if-modified-since': known.lastModified } : {}),
  };
  let at = url;
  for (let hops = 0; ; hops++) {
    const response = await fetch(at, { redirect: 'manual', headers, signal });
    if (!REDIRECTS.includes(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location') ?? '';
    const next = urlOf(location, at);
    if (!next || location === '') throw badRedirect(url, location, 'scheme');
    if (next.protocol !== 'http:' && next.protocol !== 'https:') throw badRedirect(url, location, 'scheme');
    if (at.startsWith('https:') && next.protocol === 'http:') throw badRedirect(url, next.href, 'insecure');
    if (hops === MAX_REDIRECTS) throw badRedirect(url, next.href, 'too many');
    at = next.href;
  }
}

async function readBody(
  url: string,
  response: Response,
  watch: Watch,
  options: FetchOptions,
): Promise<Uint8Array> {
  const { maxBytes } = options;
  const tooMuch = (): WebError =>
    new WebError('download-too-large', `${url} has more than ${maxBytes} bytes`, {
      url,
      limit: maxBytes,
    });
  const said = response.headers.get('content-length');
  const total = said !== null && /^\d+$/.test(said) ? Number(said) : undefined;
  if (total !== undefined && total > maxBytes) {
    await response.body?.cancel();
    throw tooMuch();
  }
  const chunks: Uint8Array[] = [];
  let done = 0;
  // Leaving the loop by an error cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    done += chunk.length;
    if (done > maxBytes) throw tooMuch();
    chunks.push(chunk);
    watch.alive(done);
    options.onBytes(done, total);
  }
  return Buffer.concat(chunks);
}

async function refused(url: string, response: Response): Promise<WebError> {
  await response.body?.cancel();
  const reason = `${response.status} ${response.statusText}`.trim();
  return new WebError('download-failed', `${url}: ${reason}`, { url, reason, status: response.status });
}

function badRedirect(url: string, to: string, reason: 'too many' | 'insecure' | 'scheme'): WebError {
  return new WebError('redirect-refused', `${url} leads to ${to} (${reason})`, { url, to, reason });
}

/** Ends a request that is silent for too long, or that trickles for ever. */
class Watch {
  readonly signal: AbortSignal;
  expired: WebError | undefined;
  readonly #own = new AbortController();
  readonly #url: string;
  readonly #silenceMs: number;
  readonly #whole: NodeJS.Timeout;
  #silence: NodeJS.Timeout;
  #done = 0;

  constructor(url: string, { signal, timeoutMs }: FetchOptions) {
    this.#url = url;
    this.#silenceMs = timeoutMs;
    this.signal = AbortSignal.any([signal, this.#own.signal]);
    this.#silence = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
    const wholeMs = timeoutMs * WHOLE_TIME_FACTOR;
    this.#whole = setTimeout(() => this.#expire(wholeMs), wholeMs);
  }

  alive(done: number): void {
    this.#done = done;
    clearTimeout(this.#silence);
    if (!this.expired) this.#silence = setTimeout(() => this.#expire(this.#silenceMs), this.#silenceMs);
  }

  end(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#whole);
  }

  #expire(ms: number): void {
    const facts = { url: this.#url, seconds: ms / 1000, done: this.#done };
    this.expired ??= new WebError('download-timeout', `${this.#url}: too slow`, facts);
    this.#own.abort(this.expired);
  }
}
