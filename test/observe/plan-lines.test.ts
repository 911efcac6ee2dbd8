import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { locateWritten } from '../../src/config/located.ts';
import type { Engine } from '../../src/config/schema.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import { planLines } from '../../src/observe/plan-lines.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { EngineAssessment } from '../../src/preflight/assessment.ts';
import { config } from '../workflows/config.ts';

const assess = (engine: Engine, more: Partial<EngineAssessment> = {}): EngineAssessment => ({
  engine,
  possible: more.blockers === undefined,
  blockers: [],
  warnings: [],
  notes: [],
  ...more,
});

function lines(columns: number): string[] {
  const located = locateWritten(config('shop'));
  if (located === null) throw new Error('no address');
  const plan = makePlan(located, emptyCatalog, [], {
    inUse: null,
    changesPerSecond: 812.4,
    assessments: [
      assess('built-in'),
      assess('native', {
        warnings: [
          {
            code: 'native-replication',
            severity: 'warning',
            object: 'native.sourceCaFile',
            found: 'is not set',
          },
        ],
      }),
      assess('azure-dms', {
        blockers: [
          {
            code: 'dms-service',
            severity: 'blocker',
            object: 'azureDms',
            found: 'is not set',
            fix: 'set azureDms.subnet',
          },
        ],
      }),
    ],
  });
  return planLines(plan, 'hash', columns).map(stripVTControlCharacters);
}

test.for([80, 120])('the engines stand beside each other in %i columns', (columns) => {
  const all = lines(columns);
  if (process.env['SHOW'] !== undefined) process.stdout.write(`${all.join('\n')}\n`);
  const table = all.filter((line) => /^[│├┌└]/.test(line));
  expect(Math.max(...table.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  expect(table.join('')).not.toContain('…');
  const [, head = ''] = table;
  expect(head.split('│').map((cell) => cell.trim())).toEqual([
    '',
    'engine',
    '● built-in',
    'native',
    'azure-dms',
    '',
  ]);
  const cells = (question: string) =>
    table
      .find((line) => line.startsWith(`│ ${question} `))
      ?.split('│')
      .slice(2, -1)
      .map((cell) => cell.trim());
  expect(cells('possible')).toEqual(['yes', 'yes', 'no, see below']);
  expect(cells('full load')?.[2]).toBe('not known');
  expect(all.join('\n')).toContain('Engines  built-in: auto takes it');
  expect(all).toContain('  ✗ azure-dms: azureDms is not set; fix: set azureDms.subnet');
  expect(all).toContain('  ! native: native.sourceCaFile is not set');
});
