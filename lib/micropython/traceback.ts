/** A Python traceback as data. The format is MicroPython's `mp_obj_print_exception`. */

export interface Frame {
  file: string;
  line: number;
  /** `<module>` at top level; absent where the firmware prints none. */
  function?: string;
}

export interface PythonError {
  /** Class of the exception, `ZeroDivisionError`. */
  type: string;
  message: string;
  /** Innermost frame, where it has one. */
  file?: string;
  line?: number;
  function?: string;
  /** Outermost first. */
  frames: Frame[];
  /** The traceback as printed. */
  text: string;
}

const FRAME = /^ {2}File "(.*)", line (\d+)(?:, in (.*))?$/;
const RAISED = /^([A-Za-z_][\w.]*)(?::\s?([\s\S]*))?$/;

/** Reads what the board printed on its error channel. Text that is no traceback becomes the message. */
export function parseTraceback(text: string): PythonError {
  const lines = text.replace(/\r\n/g, '\n').trimEnd().split('\n');
  const frames: Frame[] = [];
  let at = lines.findIndex((line) => line.startsWith('Traceback (most recent call last)')) + 1;
  for (; at < lines.length; at++) {
    const [matched, file, line, name] = FRAME.exec(lines[at] ?? '') ?? [];
    if (matched === undefined || file === undefined) break;
    frames.push({ file, line: Number(line), ...(name === undefined ? {} : { function: name }) });
  }
  const rest = lines.slice(at).join('\n');
  const raised = RAISED.exec(rest);
  const [, type = 'Exception', message = raised ? '' : rest] = raised ?? [];
  return { type, message, ...frames.at(-1), frames, text: lines.join('\n') };
}
