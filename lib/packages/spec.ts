/**
 * What names a package, as MicroPython's `mip` has it: a name of the index, `github:owner/repo/path`, `gitlab:`,
 * `codeberg:`, or a URL; each with `@version` behind it.
 * Source: micropython-lib `micropython/mip/mip/__init__.py`, docs "Package management".
 */
import { PackageError } from './errors.ts';

export interface PackageSpec {
  /** Without the version. */
  name: string;
  /** A version of the index; for a repository its branch, tag or commit. */
  version?: string;
}

/** Where a host has the raw files of a repository: owner, repository, branch, path. */
const HOSTS: Readonly<Record<string, (owner: string, repo: string, ref: string, path: string) => string>> = {
  'github:': (owner, repo, ref, path) => `https://raw.githubusercontent.com/${owner}/${repo}/${ref}/${path}`,
  'gitlab:': (owner, repo, ref, path) => `https://gitlab.com/${owner}/${repo}/-/raw/${ref}/${path}`,
  'codeberg:': (owner, repo, ref, path) =>
    `https://codeberg.org/api/v1/repos/${owner}/${repo}/raw/${path}?ref=${ref}`,
};

const SPEC = /^(.+?)(?:@([^@:]+))?$/s;
/** A URL may have an `@` on its way: only behind the last slash it is a version. */
const URL_SPEC = /^(.+?)(?:@([^@:/]+))?$/s;
const INDEX_NAME = /^[\w.-]+$/;
const VERSION = /^[\w.+/-]+$/;
const DEFAULT_REF = 'HEAD';

/** Throws `PackageError` 'bad-package-name'. */
export function parseSpec(text: string): PackageSpec {
  const spec = text.trim();
  const [, name = '', version] = (/^https?:/.test(spec) ? URL_SPEC : SPEC).exec(spec) ?? [];
  const fits = isAddress(name) ? addressFits(name) : INDEX_NAME.test(name) && !/^\.+$/.test(name);
  if (!fits || (version !== undefined && !versionFits(version))) throw badName(text);
  return { name, ...(version === undefined ? {} : { version }) };
}

/** Whether a name is a place in the web, not one of the index. */
export function isAddress(name: string): boolean {
  return /^(https?:\/\/|github:|gitlab:|codeberg:)/.test(name);
}

/** The URL of a place that a spec or a package names; of a repository that of the branch, tag or commit. */
export function addressUrl(address: string, ref = DEFAULT_REF): string {
  const [, host = '', place = ''] = /^([a-z]+:)(?!\/\/)(.*)$/s.exec(address) ?? [];
  const [owner = '', repo = '', ...path] = place.split('/');
  const url = HOSTS[host]?.(
    encodeURIComponent(owner),
    encodeURIComponent(repo),
    // A branch may have slashes in its name.
    ref.split('/').map(encodeURIComponent).join('/'),
    path.map(encodeURIComponent).join('/'),
  );
  return url ?? address;
}

function addressFits(name: string): boolean {
  if (/[\s\0]/.test(name) || name.split(/[/?#]/).includes('..')) return false;
  return /^https?:/.test(name) ? URL.canParse(name) : /^[a-z]+:[^/]+\/[^/]+/.test(name);
}

function versionFits(version: string): boolean {
  return VERSION.test(version) && !version.split('/').some((part) => /^\.*$/.test(part));
}

function badName(text: string): PackageError {
  return new PackageError('bad-package-name', `${text} names no package`, { found: text.slice(0, 200) });
}
