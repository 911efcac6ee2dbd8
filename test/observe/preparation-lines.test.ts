import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { preparationLines } from '../../src/observe/preparation-lines.ts';
import type { PreparationStatus } from '../../src/workflows/messages.ts';

const act = (
  more: Partial<PreparationStatus['acts'][number]> & { name: string },
): PreparationStatus['acts'][number] => ({
  does: 'something',
  when: 'preparation',
  needsApproval: false,
  ...more,
});

const lines = (acts: PreparationStatus['acts']): string =>
  preparationLines({ planHash: 'abc', acts, running: [], facts: [] }, 0)
    .map(stripVTControlCharacters)
    .join('\n');

test('acts stand under the moment at which they are done, whatever their order in the plan', () => {
  const text = lines([
    act({ name: 'aws/reboot', interrupts: 'it is away', needsApproval: true }),
    act({ name: 'azure/final-parameters', when: 'completion' }),
    act({ name: 'azure/consumer-accounts', undo: 'goes with the server' }),
  ]);
  expect(text).toBe(
    [
      'Clouds  plan abc',
      '  before anything is copied',
      '  ○ aws/reboot  something [needs approval]',
      '      interrupts: it is away',
      '  ○ azure/consumer-accounts  something',
      '      on abort: goes with the server',
      '  after the switch',
      '  ○ azure/final-parameters  something',
    ].join('\n'),
  );
});

test('many settings are one a line, their own commas kept; a few stay in the sentence', () => {
  const few = 'set binlog_format=ROW, gtid-mode=ON in the parameter group own';
  const text = lines([
    act({ name: 'few', does: few }),
    act({ name: 'many', does: 'set for the load: sql_mode=A,B, c=1, d=+00:00, e=, f=ON' }),
  ]);
  expect(text).toContain(`○ few  ${few}`);
  expect(text).toContain(
    '○ many  set for the load:\n      sql_mode=A,B\n      c=1\n      d=+00:00\n      e=\n      f=ON',
  );
});

test('what is done says how it ended, and no longer what it would have cost', () => {
  const text = lines([act({ name: 'azure/server', costs: 'much', done: 'it is Ready' })]);
  expect(text).toContain('✓ azure/server  it is Ready');
  expect(text).not.toContain('much');
});
