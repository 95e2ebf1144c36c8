/**
 * The file that describes a package, `package.json` of mip: `hashes` are files of the index by the first digits of
 * their SHA-256, `urls` files of anywhere, `deps` other packages. Source: micropython-lib `tools/build.py`.
 */
import { PackageError } from './errors.ts';

export interface Manifest {
  /** Empty where none is said. */
  version: string;
  /** Path under the target, and the first digits of the SHA-256. */
  hashes: [path: string, hash: string][];
  /** Path under the target, and where the file is: an address or relative to the manifest. */
  urls: [path: string, url: string][];
  /** Name and version, which may be empty. */
  deps: [name: string, version: string][];
}

const MAX_ENTRIES = 1000;
const HASH = /^[\da-f]{8,64}$/i;

/** Throws `PackageError` 'package-damaged'. */
export function parseManifest(bytes: Uint8Array, url: string): Manifest {
  const damaged = (what: string): PackageError =>
    new PackageError('package-damaged', `${url}: ${what}`, { url, what });
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw damaged('it is no JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw damaged('it is no object');
  const { version, hashes, urls, deps } = json as Record<string, unknown>;
  const pairs = (list: unknown, name: string): [string, string][] => {
    if (list === undefined || list === null) return [];
    if (!Array.isArray(list) || list.length > MAX_ENTRIES) throw damaged(`${name} is no list`);
    return list.map((entry: unknown) => {
      const [first, second = ''] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof first !== 'string' || typeof second !== 'string')
        throw damaged(`${name} has no pairs of texts`);
      return [first, second];
    });
  };
  const manifest = {
    version: typeof version === 'string' ? version : '',
    hashes: pairs(hashes, 'hashes'),
    urls: pairs(urls, 'urls'),
    deps: pairs(deps, 'deps'),
  };
  const bad = manifest.hashes.find(([, hash]) => !HASH.test(hash));
  if (bad) throw damaged(`${bad[0]} has no hash`);
  return manifest;
}
