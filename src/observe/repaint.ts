import { stripVTControlCharacters } from 'node:util';
import { printable } from './printable.ts';

/** Repaints a block of lines in place on a terminal; leaves the last picture standing when it stops. */
export class Repainter {
  readonly #stream: NodeJS.WriteStream;
  #painted = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  paint(lines: readonly string[]): void {
    const columns = this.#stream.columns || 80;
    const rows = this.#stream.rows || 24;
    // A line that wraps would count as one and leave its rest behind.
    const fitting = lines
      .flatMap((line) => printable(line).split('\n'))
      .slice(0, Math.max(1, rows - 1))
      .map((line) => cut(line, columns));
    const up = this.#painted > 0 ? `\x1b[${this.#painted}A\r` : '';
    this.#stream.write(`${up}\x1b[J${fitting.join('\n')}\n`);
    this.#painted = fitting.length;
  }
}

function cut(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line;
  let visible = 0;
  let result = '';
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith('\x1b[')) {
      result += part;
      continue;
    }
    result += part.slice(0, Math.max(0, columns - 1 - visible));
    visible += part.length;
  }
  return `${result}\x1b[0m`;
}
