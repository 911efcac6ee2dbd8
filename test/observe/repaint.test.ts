import { expect, test } from 'vitest';
import { Repainter } from '../../src/observe/repaint.ts';

/** A terminal of 20 columns and 6 rows. */
function terminal(): { written: string[]; painter: Repainter } {
  const written: string[] = [];
  const stream = { columns: 20, rows: 6, write: (text: string) => written.push(text) };
  return { written, painter: new Repainter(stream as unknown as NodeJS.WriteStream) };
}

test('a line that wraps is whole, and counts as the rows that it takes', () => {
  const { written, painter } = terminal();
  const command = 'approve '.repeat(6);
  painter.paint(['\x1b[1mnext\x1b[22m', command]);
  painter.paint(['done']);
  expect(written[0]).toContain(command);
  // One row and three.
  expect(written[1]).toBe('\x1b[4A\r\x1b[Jdone\n');
});

test('a picture never is taller than the terminal', () => {
  const { written, painter } = terminal();
  painter.paint(['a', 'b', 'c'.repeat(41), 'd', 'e']);
  painter.paint(['f']);
  expect(written[0]).not.toContain('d');
  expect(written[1]).toBe('\x1b[5A\r\x1b[Jf\n');
});
