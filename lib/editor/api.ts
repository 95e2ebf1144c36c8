/** Questions to the runtime. All go through the editor's own `$.ajax`, which says who asks. */
import type { Failure, FailureAnswer } from './wire.ts';

/** What the runtime answers when it does not do what was asked. */
export class Failed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.code);
    this.failure = failure;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Failed) return error.failure;
  return { code: 'unexpected', facts: { message: String(error) } };
}

export async function get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
  return ask<T>({ url: address(path, query), method: 'GET', dataType: 'json' });
}

export async function post<T>(path: string, body: object = {}, signal?: AbortSignal): Promise<T> {
  const request = { data: JSON.stringify(body), contentType: 'application/json' };
  return ask<T>({ url: address(path), method: 'POST', ...request }, signal);
}

export async function getBlob(path: string, query: Record<string, string>): Promise<Blob> {
  return ask<Blob>({ url: address(path, query), method: 'GET', xhrFields: { responseType: 'blob' } });
}

export async function postBytes<T>(
  path: string,
  query: Record<string, string>,
  data: Blob | ArrayBuffer,
): Promise<T> {
  const request = { data, contentType: 'application/octet-stream' };
  return ask<T>({ url: address(path, query), method: 'POST', ...request });
}

/** Relative, so that Node-RED may live in any folder of a server. */
function address(path: string, query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `esp32-board/${path}${text === '' ? '' : `?${text}`}`;
}

async function ask<T>(request: Omit<AjaxRequest, 'processData'>, signal?: AbortSignal): Promise<T> {
  const answer = await new Promise((resolve, reject) => {
    const asked = $.ajax({ ...request, processData: false });
    signal?.addEventListener('abort', () => asked.abort());
    asked.then(resolve, (failure: unknown) => reject(failed(failure as AjaxFailure)));
  });
  const failure = await failureIn(answer);
  if (failure) throw new Failed(failure);
  return answer as T;
}

/** What could be asked and not be done. Where bytes were wanted, it comes as bytes. */
async function failureIn(answer: unknown): Promise<Failure | undefined> {
  const isJson = answer instanceof Blob && answer.type.startsWith('application/json');
  const told = isJson ? parsed(await answer.text()) : answer;
  return isFailure(told) ? told.failure : undefined;
}

function failed({ status, statusText, responseJSON }: AjaxFailure): Failed {
  if (isFailure(responseJSON)) return new Failed(responseJSON.failure);
  if (status === 401 || status === 403) return new Failed({ code: 'not-allowed', facts: {} });
  return new Failed({ code: 'no-runtime', facts: { status, message: statusText } });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFailure(answer: unknown): answer is FailureAnswer {
  return typeof answer === 'object' && answer !== null && 'failure' in answer;
}
