import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocatedConfig } from '../../src/config/located.ts';
import { configHash } from '../../src/config/hash.ts';
import type { Engine, MigrationConfig } from '../../src/config/schema.ts';
import { migrationConfigSchema } from '../../src/config/schema.ts';
import { cloudConfig, config } from './config.ts';
import { Lab } from './lab.ts';
import type { Script } from './scripted.ts';
import {
  cloudPlan,
  failing,
  forever,
  found,
  inTurn,
  planned,
  scripted,
  surveyed,
} from './scripted.ts';

const usual = scripted().activities;
let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => {
  await lab.clear();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

function withEngine(engine: Engine): (name: string) => MigrationConfig {
  return (name) =>
    migrationConfigSchema.parse({
      ...(engine === 'azure-dms' ? cloudConfig(name) : config(name)),
      engine,
      ...(engine === 'azure-dms' && {
        azureDms: {
          subnet:
            '/subscriptions/1/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/v/subnets/s',
        },
      }),
    });
}

/** The engines that copied, in turn. */
function noting(copies: LocatedConfig[], more: Script = {}): Script {
  return {
    ...more,
    copyTables: async (input) => {
      copies.push(input.config);
      return await usual.copyTables(input);
    },
  };
}

describe('replication that cannot go on', () => {
  test('parks; retry-phase checks, empties the target, plans and loads anew, and needs a new approval', async () => {
    const copies: LocatedConfig[] = [];
    const lost = failing('REPLICATION_LOST', 'the task has died');
    const run = await lab.start(
      noting(copies, { applyChanges: inTurn(async () => await lost(), forever) }),
      withEngine('azure-dms'),
    );
    const parked = await run.untilPhase('parked');
    expect(parked.failure).toMatchObject({ code: 'REPLICATION_LOST' });
    expect(parked.blockers.join()).toContain('emptied and loaded anew');
    expect(parked.nextSteps.join()).toContain('skyferry switch-engine');
    expect(run.calls).not.toContain('emptyTarget');
    await run.send('retry-phase');
    await run.untilPhase('awaiting-approval');
    const from = run.calls.lastIndexOf('emptyTarget');
    expect(run.calls.slice(from)).toEqual(
      expect.arrayContaining(['emptyTarget', 'runPreflight', 'makePlan', 'provision', 'copyTables', 'verifyTables']), // prettier-ignore
    );
    expect(run.calls.indexOf('runPreflight', from)).toBeGreaterThan(from);
    expect(copies.map(({ engine }) => engine)).toEqual(['azure-dms', 'azure-dms']);
    await run.send('approve-cutover');
    expect((await run.result()).status.phase).toBe('completed');
  });

  test('while it was loaded; switch-engine goes on with the built-in engine, under the same configuration', async () => {
    const copies: LocatedConfig[] = [];
    const input = withEngine('azure-dms');
    const run = await lab.start(
      {
        copyTables: inTurn(
          async ({ config: used }) => {
            copies.push(used);
            return await failing('REPLICATION_LOST')();
          },
          async (input_) => {
            copies.push(input_.config);
            return await usual.copyTables(input_);
          },
        ),
      },
      input,
    );
    await run.untilPhase('parked');
    await run.send('switch-engine', { by: 'ann', engine: 'azure-dms' });
    await run.send('switch-engine', { by: 'ann', engine: 'built-in', reason: 'enough' });
    const { engine, messages } = await run.untilPhase('awaiting-approval');
    expect(engine).toBe('built-in');
    expect(messages.map(({ outcome }) => outcome)).toEqual(['refused', 'accepted']);
    expect(messages[0]?.reason).toContain('"engine":"built-in"');
    expect(messages[1]?.note).toBe('to built-in: enough');
    expect(run.calls.filter((call) => call === 'emptyTarget')).toHaveLength(1);
    const [first, second] = copies;
    expect([first?.engine, second?.engine]).toEqual(['azure-dms', 'built-in']);
    expect(new Set(copies.map(configHash)).size).toBe(1);
    expect(second?.writtenEngine).toBe('azure-dms');
  });

  test('switched while changes are still applied: nobody applies any more when the target is emptied', async () => {
    const applied: string[] = [];
    const run = await lab.start(
      {
        verifyTables: inTurn(failing('ROWS_DIFFER'), usual.verifyTables),
        applyChanges: async ({ config: { engine } }) => {
          applied.push(`${engine} begins`);
          await forever().finally(() => applied.push(`${engine} ends`));
          throw new Error('not reached');
        },
        emptyTarget: async () => {
          applied.push('emptied');
          return [];
        },
      },
      withEngine('azure-dms'),
    );
    await run.untilPhase('parked');
    await run.untilActivities('applyChanges', 'guardBinlog');
    await run.send('switch-engine', { by: 'ann', engine: 'built-in' });
    await run.untilPhase('awaiting-approval');
    expect(applied).toEqual(['azure-dms begins', 'azure-dms ends', 'emptied', 'built-in begins']);
  });

  test('a changed definition is the end of a task of Azure DMS, whoever sees it first: it is loaded anew', async () => {
    const changed = inTurn(failing('SCHEMA_CHANGED'), usual.verifyTables);
    const run = await lab.start({ verifyTables: changed }, withEngine('azure-dms'));
    expect((await run.untilPhase('parked')).blockers.join()).toContain('emptied and loaded anew');
    await run.send('retry-phase');
    await run.untilPhase('awaiting-approval');
    expect(run.calls.filter((call) => call === 'emptyTarget')).toHaveLength(1);
  });

  test('once the switch has begun nothing is emptied, whatever is found out', async () => {
    const run = await lab.start(
      {
        cutOver: inTurn(failing('SWITCH_FAILED'), failing('SCHEMA_CHANGED'), usual.cutOver),
        settleCutover: async () => ({ switched: true }),
      },
      withEngine('azure-dms'),
    );
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover');
    const parked = await run.untilPhase('parked');
    expect(parked.failure?.code).toBe('SCHEMA_CHANGED');
    expect(parked.blockers.join()).not.toContain('emptied');
    await run.send('retry-phase');
    expect((await run.result()).status.phase).toBe('completed');
    expect(run.calls).not.toContain('emptyTarget');
  });

  test('in the cutover: it is taken back, and then loaded anew', async () => {
    const run = await lab.start(
      { cutOver: inTurn(failing('REPLICATION_LOST'), usual.cutOver) },
      withEngine('azure-dms'),
    );
    await run.untilPhase('awaiting-approval');
    await run.send('approve-cutover');
    await run.untilPhase('parked');
    expect(run.calls.at(-1)).toBe('settleCutover');
    await run.send('retry-phase');
    const { approval } = await run.untilPhase('awaiting-approval');
    expect(approval).toBeUndefined();
    expect(run.calls).toContain('emptyTarget');
  });
});

test('whose service cannot be made: switch-engine plans the clouds anew, without it', async () => {
  const service = planned({ name: 'azure-dms/service' });
  const plan = { ...cloudPlan, target: surveyed({ acts: [service], address: null }) };
  const engines: unknown[] = [];
  const run = await lab.start(
    {
      surveyClouds: async ({ engine }) => {
        engines.push(engine);
        return engine === null ? plan : cloudPlan;
      },
      completeAct: failing('CLOUD_FAILED'),
    },
    withEngine('azure-dms'),
  );
  await run.untilPhase('parked');
  await run.send('switch-engine', { by: 'ann', engine: 'built-in' });
  await run.untilPhase('awaiting-approval');
  expect(engines).toEqual([null, 'built-in', 'built-in']);
  expect(run.calls.filter((call) => call === 'completeAct')).toHaveLength(1);
});

test('from native to built-in nothing is loaded anew; running migrations keep their engine', async () => {
  const run = await lab.start(
    { applyChanges: inTurn(failing('ROWS_DIFFER'), forever) },
    withEngine('native'),
  );
  const { nextSteps } = await run.untilPhase('parked');
  expect(nextSteps.join()).toMatch(/skyferry switch-engine \S+ --to built-in/);
  await run.send('switch-engine', { by: 'ann', engine: 'native' });
  await run.send('switch-engine', { by: 'ann', engine: 'built-in' });
  await run.untilPhase('awaiting-approval');
  await run.send('switch-engine', { by: 'ann', engine: 'native' });
  const { messages, engine } = await run.until((s) => s.messages.length === 3);
  expect(messages.map(({ outcome }) => outcome)).toEqual(['refused', 'accepted', 'refused']);
  expect(engine).toBe('built-in');
  expect(run.calls).not.toContain('emptyTarget');
});

test('the engine that ran on while it was parked for another reason makes way for the new one', async () => {
  const applied: string[] = [];
  const run = await lab.start(
    {
      verifyTables: inTurn(failing('ROWS_DIFFER'), usual.verifyTables),
      applyChanges: async ({ config: { engine } }) => {
        applied.push(engine);
        return await forever();
      },
    },
    withEngine('built-in'),
  );
  await run.untilPhase('parked');
  await run.untilActivities('applyChanges');
  await run.send('switch-engine', { by: 'ann', engine: 'native' });
  await run.untilPhase('awaiting-approval');
  expect(applied).toEqual(['built-in', 'native']);
});

test('an engine that the plan found impossible is not switched to, unless it is checked again', async () => {
  const native = [{ code: 'native-private-endpoint', severity: 'blocker', found: 'is private' }] as const; // prettier-ignore
  const run = await lab.start(
    {
      surveyClouds: async () => ({ ...cloudPlan, target: surveyed({ engines: { native } }) }),
      verifyTables: inTurn(failing('ROWS_DIFFER'), usual.verifyTables),
    },
    (name) => migrationConfigSchema.parse({ ...cloudConfig(name), engine: 'built-in' }),
  );
  await run.untilPhase('parked');
  await run.send('switch-engine', { by: 'ann', engine: 'native' });
  const { messages, engine } = await run.until((status) => status.messages.length === 1);
  expect(messages[0]).toMatchObject({
    outcome: 'refused',
    reason: 'native is not possible between these servers, as the plan found: is private',
  });
  expect(engine).toBe('built-in');
});

/** Preflight finds that one engine alone is possible. */
function only(possible: Engine) {
  const { findings, engines } = found();
  return {
    findings,
    engines: engines.map((each) => ({ ...each, possible: each.engine === possible })),
  };
}

test('a row that differed after the comparison: everything is compared again before anybody is asked', async () => {
  let differs = () => {};
  const told = new Promise<void>((resolve) => (differs = resolve));
  const run = await lab.start(
    {
      applyChanges: inTurn(async () => {
        await told;
        return await failing('ROWS_DIFFER')();
      }, forever),
    },
    withEngine('native'),
  );
  await run.untilPhase('awaiting-approval');
  differs();
  await run.untilPhase('parked');
  await run.send('retry-phase');
  await run.untilPhase('awaiting-approval');
  expect(run.calls.filter((call) => call === 'verifyTables')).toHaveLength(2);
});

test('auto is decided by the plan and stays so, also when preflight runs again', async () => {
  const asked: (Engine | null)[] = [];
  const copies: LocatedConfig[] = [];
  const run = await lab.start(
    noting(copies, {
      runPreflight: async (input) => {
        asked.push(input.engine);
        return only(asked.length === 1 ? 'native' : 'built-in');
      },
      provision: inTurn(failing('REPLICATION_LOST'), usual.provision),
    }),
    (name) => ({ ...config(name, { approval: { required: false } }), engine: 'auto' }),
  );
  const { failure, engine } = await run.untilPhase('parked');
  expect([failure?.code, engine]).toEqual(['REPLICATION_LOST', 'native']);
  await run.send('retry-phase');
  const { plan } = await run.result();
  expect(asked).toEqual([null, 'native']);
  expect(copies.map((used) => used.engine)).toEqual(['native']);
  expect(plan?.plan.engine).toBe('native');
});
