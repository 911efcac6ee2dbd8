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
    // The last row is the cursor's.
    let free = Math.max(1, (this.#stream.rows || 24) - 1);
    const fitting: string[] = [];
    let painted = 0;
    for (const line of lines.flatMap((text) => printable(text).split('\n'))) {
      const height = heightOf(line, columns);
      if (height > free) break;
      free -= height;
      painted += height;
      fitting.push(line);
    }
    const up = this.#painted > 0 ? `\x1b[${this.#painted}A\r` : '';
    this.#stream.write(`${up}\x1b[J${fitting.join('\n')}\n`);
    this.#painted = painted;
  }
}

/** Rows of the terminal, which wraps by itself: so a command can be copied whole. */
function heightOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns));
}
