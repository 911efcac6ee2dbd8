import { expect, test } from 'vitest';
import { formatDuration } from '../../src/observe/numbers.ts';

test.each([
  [999.4, '999 ms'],
  [999.7, '1.0 s'],
  [59_960, '1 min 0 s'],
  [119_700, '2 min 0 s'],
  [3_599_700, '1 h 00 min'],
  [7_500_000, '2 h 05 min'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
