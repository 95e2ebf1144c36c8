/** From names of packages to the files that go on the board, with all the packages need: the board needs no Wi-Fi. */
import { download } from '../web/download.ts';
import type { DownloadEvent } from '../web/download.ts';
import { WebError } from '../web/errors.ts';
import { PackageError } from './errors.ts';
import { parseManifest } from './manifest.ts';
import { addressUrl, isAddress, parseSpec } from './spec.ts';
import type { PackageSpec } from './spec.ts';

/** MicroPython's own index. */
export const MIP_INDEX = 'https://micropython.org/pi/v2';

export interface ResolveOptions {
  /** Address of the index, without a slash at the end. */
  index: string;
  /** Version of compiled files that the board loads (`sys.implementation._mpy & 0xff`); absent: sources. */
  mpy?: number | undefined;
  /** Folder where downloads are kept. */
  cacheDir: string;
  /** Longest silence of a server. */
  timeoutMs: number;
  signal: AbortSignal;
  onEvent?: ((event: DownloadEvent) => void) | undefined;
}

export interface PackageFile {
  /** Under the target. */
  path: string;
  content: Uint8Array;
}

export interface InstalledPackage {
  name: string;
  /** As the package says it; empty where it says none. */
  version: string;
  /** Where it is described, or the file itself. */
  url: string;
}

export interface Resolved {
  files: PackageFile[];
  packages: InstalledPackage[];
}

/** More than any package has, with all it needs. */
const MAX_PACKAGES = 64;
const MAX_FILES = 500;
const MAX_BYTES = 8 * 1024 * 1024;
/** As many as those of a few packages; they are small. */
const KEPT_FILES = 1024;

/**
 * The files of packages and of what they need, each package once, those asked for first. Throws `PackageError`,
 * `WebError`, and the signal's reason.
 */
export async function resolvePackages(specs: readonly string[], options: ResolveOptions): Promise<Resolved> {
  const work = new Resolver(options);
  for (const spec of specs) await work.add(parseSpec(spec));
  return { files: work.files, packages: work.packages };
}

class Resolver {
  readonly packages: InstalledPackage[] = [];
  readonly #options: ResolveOptions;
  readonly #seen = new Set<string>();
  readonly #files = new Map<string, { content: Uint8Array; of: string }>();
  #bytes = 0;

  constructor(options: ResolveOptions) {
    this.#options = { ...options, index: options.index.replace(/\/+$/, '') };
  }

  get files(): PackageFile[] {
    return [...this.#files].map(([path, { content }]) => ({ path, content }));
  }

  /** Packages may need each other: each is taken once, in the version that was asked for first. */
  async add(spec: PackageSpec): Promise<void> {
    if (this.#seen.has(spec.name)) return;
    this.#seen.add(spec.name);
    if (this.#seen.size > MAX_PACKAGES) throw tooLarge(spec.name, MAX_PACKAGES, 'packages');
    if (/\.m?py$/.test(spec.name) && isAddress(spec.name)) await this.#addFile(spec);
    else await this.#addPackage(spec);
  }

  async #addFile({ name, version }: PackageSpec): Promise<void> {
    const url = addressUrl(name, version);
    this.#take(name.slice(name.lastIndexOf('/') + 1), await this.#fetch(url, name), name);
    this.packages.push({ name, version: version ?? '', url });
  }

  async #addPackage(spec: PackageSpec): Promise<void> {
    const { name, version } = spec;
    const { url, base, bytes } = await this.#manifestOf(spec);
    const { hashes, urls, deps, version: said } = parseManifest(bytes, url);
    this.packages.push({ name, version: said, url });
    for (const [path, hash] of hashes) {
      const short = hash.toLowerCase();
      const file = `${this.#options.index}/file/${short.slice(0, 2)}/${short}`;
      this.#take(path, await this.#fetch(file, name, short), name);
    }
    for (const [path, place] of urls) {
      const address = isAddress(place) ? place : relativeTo(base, place, url);
      this.#take(path, await this.#fetch(addressUrl(address, version), name), name);
    }
    for (const [dep, depVersion] of deps) {
      // A dependency may say its version in its name, as people do.
      const wanted = parseSpec(dep);
      await this.add(depVersion === '' ? wanted : { ...wanted, version: depVersion });
    }
  }

  /** The manifest, and the address that its relative ones count from. */
  async #manifestOf({
    name,
    version,
  }: PackageSpec): Promise<{ url: string; base: string; bytes: Uint8Array }> {
    if (isAddress(name)) {
      const place = name.endsWith('.json') ? name : `${name.replace(/\/$/, '')}/package.json`;
      const url = addressUrl(place, version);
      return { url, base: place, bytes: await this.#fetch(url, name) };
    }
    const { index, mpy } = this.#options;
    const at = (variant: string): string =>
      `${index}/package/${variant}/${name}/${encodeURIComponent(version ?? 'latest')}.json`;
    const url = at(mpy === undefined ? 'py' : String(mpy));
    try {
      return { url, base: url, bytes: await this.#fetch(url, name) };
    } catch (error) {
      if (mpy === undefined || !isMissing(error)) throw error;
      // An index need not have compiled files for every version of MicroPython.
      return { url: at('py'), base: at('py'), bytes: await this.#fetch(at('py'), name) };
    }
  }

  async #fetch(url: string, name: string, sha256?: string): Promise<Uint8Array> {
    const { cacheDir, timeoutMs, signal, onEvent } = this.#options;
    const bounds = { maxBytes: MAX_BYTES - this.#bytes, maxFiles: KEPT_FILES, timeoutMs };
    try {
      return await download(url, { cacheDir, signal, onEvent, sha256, ...bounds });
    } catch (error) {
      if (!(error instanceof WebError)) throw error;
      if (error.facts['status'] !== 404) throw error.tell({ case: 'package' });
      throw new PackageError('package-not-found', `${name} is not at ${url}`, { name, url }, error);
    }
  }

  #take(path: string, content: Uint8Array, of: string): void {
    const there = this.#files.get(path);
    if (there && Buffer.compare(there.content, content) !== 0) {
      const facts = { path, first: there.of, second: of };
      throw new PackageError('packages-collide', `${there.of} and ${of} differ in ${path}`, facts);
    }
    this.#files.set(path, { content, of });
    this.#bytes += content.length;
    if (this.#files.size > MAX_FILES) throw tooLarge(of, MAX_FILES, 'files');
    if (this.#bytes > MAX_BYTES) throw tooLarge(of, MAX_BYTES, 'bytes');
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof PackageError && error.code === 'package-not-found';
}

/** Of an address in the short form, too: `github:owner/repo/package.json`. */
function relativeTo(base: string, path: string, url: string): string {
  if (path.startsWith('/') || /^[a-z][a-z\d+.-]*:/i.test(path) || path.split('/').includes('..')) {
    throw new PackageError('package-damaged', `${url}: ${path} is no address`, {
      url,
      what: `${path} is no address`,
    });
  }
  return `${base.slice(0, base.lastIndexOf('/'))}/${path}`;
}

function tooLarge(name: string, limit: number, unit: 'packages' | 'files' | 'bytes'): PackageError {
  return new PackageError('package-too-large', `${name}: more than ${limit} ${unit}`, { name, limit, unit });
}
