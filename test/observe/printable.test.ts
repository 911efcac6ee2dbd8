import { expect, test } from 'vitest';
import { printable } from '../../src/observe/printable.ts';
import { Repainter } from '../../src/observe/repaint.ts';

test('a name from a database steers no terminal; our own colours stay', () => {
  const name = 'orders\u001b[2J\u001b]0;title\u0007\r\u009b31m\u202egpj\u001b[8m';
  expect(printable(`\u001b[32m✓\u001b[39m ${name}\n\tnext`)).toBe(
    '\u001b[32m✓\u001b[39m orders\\u001b[2J\\u001b]0;title\\u0007\\u000d\\u009b31m\\u202egpj\\u001b[8m\n\tnext',
  );
});

test('JSON keeps its meaning', () => {
  const value = { table: 'a\u001b[2J\u007f\u0085\u2067b' };
  const text = printable(JSON.stringify(value, null, 2));
  expect(text).not.toMatch(/[^\n -~]/);
  expect(JSON.parse(text)).toEqual(value);
});

test('the live view counts the lines that it paints', () => {
  const written: string[] = [];
  const stream = { columns: 80, rows: 24, write: (text: string) => written.push(text) };
  const painter = new Repainter(stream as unknown as NodeJS.WriteStream);
  painter.paint(['next', '  in my.cnf:\nlog_bin = binlog\nserver_id = 1', 'bad \u001b[1A name']);
  painter.paint(['next']);
  expect(written[0]).toContain('bad \\u001b[1A name');
  expect(written[1]).toMatch(/^\u001b\[5A\r/);
});
