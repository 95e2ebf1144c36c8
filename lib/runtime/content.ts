/** Bytes of a file as what a flow wants of them. */
import { messageOf } from '../errors/reason.ts';
import { InputError } from './diagnosis.ts';

export const CONTENT_KINDS = ['buffer', 'text', 'json'] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

/** Throws `InputError` 'not-json'. */
export function contentAs(kind: ContentKind, content: Buffer, path: string): unknown {
  if (kind === 'buffer') return content;
  const text = content.toString('utf8');
  if (kind === 'text') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = messageOf(error);
    throw new InputError('not-json', `${path} is no JSON: ${reason}`, { path, reason }, error);
  }
}
