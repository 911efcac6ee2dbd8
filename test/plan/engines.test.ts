import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { LocatedConfig } from '../../src/config/located.ts';
import { locateWritten } from '../../src/config/located.ts';
import type { Engine } from '../../src/config/schema.ts';
import { appliedPerSecond } from '../../src/engines/measured-rates.ts';
import { emptyCatalog } from '../../src/mysql/catalog/types.ts';
import type { Catalog } from '../../src/mysql/catalog/types.ts';
import type { Engines } from '../../src/plan/make-plan.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { planHash } from '../../src/plan/plan-hash.ts';
import type { EngineAssessment } from '../../src/preflight/assessment.ts';
import { bounded } from '../../src/preflight/bounded.ts';
import type { Finding } from '../../src/preflight/finding.ts';
import { withFindings } from '../../src/preflight/assessment.ts';
import { config as written } from '../workflows/config.ts';

function assess(engine: Engine, fault?: string): EngineAssessment {
  const blockers =
    fault === undefined
      ? []
      : [
          {
            code: 'x',
            severity: 'blocker' as const,
            object: fault,
            found: 'is wrong',
            fix: 'mend',
          },
        ];
  return { engine, possible: blockers.length === 0, blockers, warnings: [], notes: [] };
}

function located(engine: 'auto' | Engine): LocatedConfig {
  const config = locateWritten({ ...written('shop'), engine });
  if (config === null) throw new Error('no address');
  return config;
}

/** 2 GB: a load of 100 s. */
const catalog: Catalog = {
  ...emptyCatalog,
  tables: [
    {
      name: { schema: 'shop', name: 'orders' },
      estimatedRows: 1_000_000,
      estimatedBytes: 2_000_000_000,
      rowKey: { index: 'PRIMARY', columns: ['id'] },
      foreignKeys: [],
      createStatement: '',
      engine: 'InnoDB',
      collation: 'utf8mb4_0900_ai_ci',
      columns: [],
      indexes: [],
      checks: [],
      partitioned: false,
      autoIncrement: null,
    },
  ],
};

const everything = [assess('built-in'), assess('native'), assess('azure-dms')];
const plan = (
  engine: 'auto' | Engine,
  { assessments = everything, changesPerSecond = 1000, ...more }: Partial<Engines> = {},
) =>
  makePlan(located(engine), catalog, [], {
    assessments,
    changesPerSecond,
    inUse: engine === 'auto' ? null : engine,
    ...more,
  });

test('auto takes the built-in engine, else native, and says why', () => {
  const first = plan('auto');
  expect([first.engine, first.whyEngine]).toEqual(['built-in', expect.stringMatching(/^auto .*5 times as fast/)]); // prettier-ignore
  const second = plan('auto', {
    assessments: [assess('built-in', 'local_infile'), assess('native'), assess('azure-dms')],
  });
  expect([second.engine, second.whyEngine]).toEqual(['native', expect.stringMatching(/^auto .*built-in is not possible/)]); // prettier-ignore
  // What the plan does is the chosen engine's.
  expect(JSON.stringify(second.steps)).toContain("MySQL's own replication");
});

test('auto never takes the service by itself, and says that it would do', () => {
  const assessments = [assess('built-in', 'local_infile'), assess('native', 'server_id'), assess('azure-dms')]; // prettier-ignore
  expect(() => plan('auto', { assessments })).toThrow(
    expect.objectContaining({
      code: 'PREFLIGHT_BLOCKED',
      message: expect.stringMatching(
        /local_infile is wrong; fix: mend.*Only azure-dms is/,
      ) as string,
      detail: expect.objectContaining({
        next: expect.stringContaining('engine: azure-dms') as string,
      }) as object,
    }),
  );
  const none = assessments.map((each) => (each.possible ? assess('azure-dms', 'subnet') : each));
  expect(() => plan('auto', { assessments: none })).toThrow(/^(?!.*azure-dms)/);
  // A person may.
  expect(plan('azure-dms', { assessments }).engine).toBe('azure-dms');
});

test('estimates come from what was measured, and what nobody measured is not guessed', () => {
  const [own, native, dms] = plan('auto', { changesPerSecond: 3000 }).engines;
  // 300,000 changes of a load of 100 s; 64,000 and 10,000 a second go beyond those that come.
  expect([own?.loadSeconds, own?.catchUpSeconds]).toEqual([100, 5]);
  expect([native?.loadSeconds, native?.catchUpSeconds]).toEqual([100, 30]);
  expect([dms?.loadSeconds, dms?.catchUpSeconds]).toEqual([null, null]);
  expect(dms?.lag).toContain('not known');
  const [, busy] = plan('auto', { changesPerSecond: 20_000 }).engines;
  expect(busy).toMatchObject({ catchUpSeconds: null, lag: expect.stringMatching(/^grows/) as string }); // prettier-ignore
});

test('the rates are those of the benchmarks', async () => {
  const text = await readFile('docs/benchmarks.md', 'utf8');
  const [, caughtUp = ''] = text.split('## Catch-up');
  const rateOf = (name: string) => {
    const cells = caughtUp
      .split('\n')
      .find((line) => line.startsWith(`| ${name} |`))
      ?.split('|');
    return Number.parseInt(cells?.[4] ?? '', 10) * 1000;
  };
  expect(appliedPerSecond).toEqual({
    'built-in': rateOf('Skyferry'),
    native: rateOf('native replication, 4 workers'),
    'azure-dms': null,
  });
});

test('ten thousand tables without a key make neither plan nor findings too long for a history', () => {
  const [table] = catalog.tables;
  if (table === undefined) throw new Error('no table');
  const names = Array.from({ length: 10_000 }, (_, i) => `a_table_with_a_rather_long_name_${i}`);
  const tables = names.map((name) => ({ ...table, name: { schema: 'shop', name }, rowKey: null }));
  const findings: Finding[] = [
    ...names.map((object) => ({ code: 'row-keys', severity: 'warning' as const, object, found: 'has no key' })),
    { code: 'row-keys', severity: 'blocker', object: 'last', found: 'stops it' },
    { code: 'definers', severity: 'info', object: names.join(', '), found: 'is kept' },
  ]; // prettier-ignore
  const kept = bounded(findings);
  expect(JSON.stringify(kept).length).toBeLessThan(20_000);
  expect(kept[0]?.object).toBe('last');
  expect(kept).toContainEqual({
    code: 'row-keys',
    severity: 'warning',
    found: 'and 9971 more of this kind: skyferry doctor names them',
  });
  expect(bounded(findings.slice(0, 30))).toEqual(findings.slice(0, 30));
  const made = makePlan(located('built-in'), { ...catalog, tables }, kept, {
    assessments: everything,
    inUse: 'built-in',
    changesPerSecond: 1,
  });
  expect(made.tableCount).toBe(10_000);
  expect(JSON.stringify(made).length).toBeLessThan(60_000);
});

test('a person approves the engine, not what the others would have meant', () => {
  const hash = (...args: Parameters<typeof plan>) => planHash(plan(...args));
  expect(hash('auto')).toBe(hash('built-in'));
  expect(hash('built-in', { changesPerSecond: 5 })).toBe(hash('built-in'));
  expect(hash('built-in', { assessments: [assess('built-in')] })).toBe(hash('built-in'));
  expect(hash('native')).not.toBe(hash('built-in'));
});

test('the hash is of all tables, whichever are the largest', () => {
  const [table] = catalog.tables;
  if (table === undefined) throw new Error('no table');
  const many = (bytes: (i: number) => number, key = 'id') =>
    Array.from({ length: 150 }, (_, i) => ({
      ...table,
      name: { schema: 'shop', name: `t${i}` },
      estimatedBytes: bytes(i),
      rowKey: { index: 'PRIMARY', columns: i === 0 ? [key] : ['id'] },
    }));
  const hash = (tables: typeof catalog.tables) =>
    planHash(
      makePlan(located('built-in'), { ...catalog, tables }, [], {
        assessments: everything,
        changesPerSecond: 1,
        inUse: 'built-in',
      }),
    );
  expect(hash(many((i) => i))).toBe(hash(many((i) => 150 - i)));
  expect(hash(many((i) => i))).not.toBe(hash(many((i) => i, 'code')));
});

test('an engine that was chosen before stays, whatever auto would take now', () => {
  const { engine, whyEngine } = plan('auto', { inUse: 'native' });
  expect([engine, whyEngine]).toEqual(['native', 'as decided when the migration ran already']);
});

test('what the target’s cloud says of an engine that is not in use makes it impossible in the plan', () => {
  const found = { code: 'native-private-endpoint', severity: 'blocker' as const, found: 'is private' }; // prettier-ignore
  const { engines } = plan('built-in', { assessments: withFindings(everything, { native: [found] }) }); // prettier-ignore
  expect(engines.map(({ engine, possible, whyNot }) => [engine, possible, whyNot])).toEqual([
    ['built-in', true, []],
    ['native', false, ['is private']],
    ['azure-dms', true, []],
  ]);
});
