/** Files from the web: kept on disk, asked for once however many want them, there without a network. */
import { sha256Of } from '../bytes/sha256.ts';
import { keep, readKept } from './cache.ts';
import type { Kept } from './cache.ts';
import { messageOf, reasonOf } from '../errors/reason.ts';
import { WebError } from './errors.ts';
import { fetchFile, isPassing, urlOf } from './fetch.ts';

export type DownloadEvent =
  /** Bytes that came so far, and how many there will be where the server says it. */
  | { kind: 'downloading'; url: string; done: number; total?: number }
  /** The file kept here is used; with `reason` because the server could not be asked. */
  | { kind: 'cached'; url: string; reason?: string }
  /** The file could not be kept; it is used all the same. */
  | { kind: 'not-cached'; url: string; reason: string };

export interface DownloadOptions {
  /** Folder of the files kept; made where it is missing. */
  cacheDir: string;
  maxBytes: number;
  /** Longest silence of the server; the whole may take ten times as long. */
  timeoutMs: number;
  /**
   * Expected hash in hex, or its first digits, as package indexes name files. With it a file kept here that matches
   * is used without asking the server.
   */
  sha256?: string | undefined;
  /** Most files kept in the folder; default 64. */
  maxFiles?: number | undefined;
  signal: AbortSignal;
  onEvent?: ((event: DownloadEvent) => void) | undefined;
}

/** A download that others may join while it runs. It is given up when the last of them leaves. */
interface Shared {
  result: Promise<Uint8Array>;
  listeners: Set<(event: DownloadEvent) => void>;
  abort: AbortController;
  users: number;
}

/**
 * Who is filling the cache just now. Of the process as a whole, as the cache is: the nodes that flash a class
 * of boards at once know nothing of each other. An entry lasts as long as its download.
 */
const underWay = new Map<string, Shared>();

/**
 * The file at a URL. Throws `WebError` 'bad-url', 'download-failed',
 * 'download-too-large', 'download-timeout', 'redirect-refused', 'download-hash', and the signal's reason.
 */
export async function download(address: string, options: DownloadOptions): Promise<Uint8Array> {
  options.signal.throwIfAborted();
  const url = httpUrl(address);
  const bytes = await joined(url, options);
  checkHash(bytes, options.sha256, url);
  return bytes;
}

/** Throws `WebError` 'download-hash' where bytes are not those of the hash, if one is given. */
export function checkHash(bytes: Uint8Array, expected: string | undefined, source: string): void {
  if (expected === undefined) return;
  const found = sha256Of(bytes);
  if (found.startsWith(normal(expected))) return;
  throw new WebError('download-hash', `${source} has another hash`, { source, expected, found });
}

function normal(hash: string): string {
  return hash.trim().toLowerCase();
}

function httpUrl(address: string): string {
  const url = urlOf(address.trim());
  const fits =
    url && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password;
  if (fits) return url.href;
  const found = url ? `${url.protocol}//${url.host}` : address.slice(0, 80);
  throw new WebError('bad-url', `${found} is no URL to download from`, { found });
}

/** Joins the download of the same file by others, or starts it. */
async function joined(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { signal, onEvent } = options;
  signal.throwIfAborted();
  const { cacheDir, maxBytes, timeoutMs, sha256 } = options;
  const key = JSON.stringify([url, cacheDir, maxBytes, timeoutMs, sha256]);
  const shared = underWay.get(key) ?? start(key, url, options);
  shared.users++;
  if (onEvent) shared.listeners.add(onEvent);
  let leave: () => void = () => undefined;
  const left = new Promise<never>((_resolve, reject) => {
    leave = (): void => {
      try {
        signal.throwIfAborted();
      } catch (reason) {
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      }
    };
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([shared.result, left]);
  } finally {
    signal.removeEventListener('abort', leave);
    if (onEvent) shared.listeners.delete(onEvent);
    shared.users--;
    if (shared.users === 0) {
      if (underWay.get(key) === shared) underWay.delete(key);
      shared.abort.abort();
    }
  }
}

function start(key: string, url: string, options: DownloadOptions): Shared {
  const listeners: Shared['listeners'] = new Set();
  const abort = new AbortController();
  const tell = (event: DownloadEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const result = renewed(url, { ...options, signal: abort.signal, onEvent: tell });
  const shared: Shared = { result, listeners, abort, users: 0 };
  underWay.set(key, shared);
  const ended = (): void => {
    if (underWay.get(key) === shared) underWay.delete(key);
  };
  result.then(ended, ended);
  return shared;
}

/** Asks the server, with what is kept here as the answer where nothing is new or nobody answers. */
async function renewed(
  url: string,
  options: DownloadOptions & { onEvent: (event: DownloadEvent) => void },
): Promise<Uint8Array> {
  const { cacheDir, onEvent } = options;
  const wanted = options.sha256 === undefined ? undefined : normal(options.sha256);
  const usable = await usableOf(url, wanted, options);
  if (usable && wanted !== undefined) {
    onEvent({ kind: 'cached', url });
    return usable.bytes;
  }
  const onBytes = (done: number, total: number | undefined): void =>
    onEvent({ kind: 'downloading', url, done, ...(total === undefined ? {} : { total }) });
  try {
    const { bytes, ...said } = await fetchFile(url, usable, { ...options, onBytes });
    if (bytes) {
      await keep(cacheDir, url, { bytes, sha256: sha256Of(bytes), ...said }, options.maxFiles).catch(
        (error: unknown) => onEvent({ kind: 'not-cached', url, reason: reasonOf(error) }),
      );
      return bytes;
    }
    if (usable) {
      onEvent({ kind: 'cached', url });
      return usable.bytes;
    }
    throw new WebError('download-failed', `${url}: empty answer`, { url, reason: 'empty answer' });
  } catch (error) {
    options.signal.throwIfAborted();
    if (!usable || !isPassing(error)) throw error;
    onEvent({ kind: 'cached', url, reason: messageOf(error) });
    return usable.bytes;
  }
}

/** A file kept here with another hash is not what is wanted: it is neither asked about nor fallen back to. */
async function usableOf(
  url: string,
  wanted: string | undefined,
  { cacheDir, maxBytes }: DownloadOptions,
): Promise<Kept | undefined> {
  const kept = await readKept(cacheDir, url);
  if (!kept || kept.bytes.length > maxBytes) return undefined;
  return wanted === undefined || kept.sha256.startsWith(wanted) ? kept : undefined;
}
