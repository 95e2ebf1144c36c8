/** Whether the user this process runs as may open a device, and which group would let them (Unix). */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface Denied {
  /** The name of the user, or the number of one without a name. */
  user: string;
  /** The group that may open the device: `dialout`, `uucp`, or its number. */
  group: string;
  gid: number;
  /** The user is in it already, but this process began before that. */
  isMember: boolean;
}

/** What tests replace. */
export interface AccessHost {
  /** Folder that holds `etc/group`. */
  root?: string;
  user?: { name: string; uid: number };
  mayOpen?: (path: string) => Promise<boolean>;
}

/** What keeps this process from opening a device; `undefined` where nothing does, or where it is not there. */
export async function deniedAt(path: string, host: AccessHost = {}): Promise<Denied | undefined> {
  if (await (host.mayOpen ?? mayOpen)(path)) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const { gid } = found;
  const user = host.user ?? thisUser();
  const group = await groupOf(gid, host.root ?? '/');
  return {
    user: user.name,
    group: group?.name ?? String(gid),
    gid,
    isMember: group?.members.includes(user.name) ?? false,
  };
}

/** Whether nothing but the rights of this user keeps a device from being opened; also where it is not there. */
export async function mayOpen(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'EACCES',
  );
}

/** In containers a user may have a number and no name. */
function thisUser(): { name: string; uid: number } {
  try {
    const { username, uid } = userInfo();
    return { name: username, uid };
  } catch {
    const uid = process.getuid?.() ?? -1;
    return { name: String(uid), uid };
  }
}

async function groupOf(gid: number, root: string): Promise<{ name: string; members: string[] } | undefined> {
  const text = await readFile(join(root, 'etc/group'), 'utf8').catch(() => '');
  const rows = text.split('\n').map((line) => line.split(':'));
  const [name, , , members = ''] = rows.find(([, , number]) => number === String(gid)) ?? [];
  return name === undefined ? undefined : { name, members: members.split(',').filter(Boolean) };
}
