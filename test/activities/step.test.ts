import type { ApplicationFailure } from '@temporalio/common';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { toApplicationFailure } from '../../src/activities/failures.ts';
import type { Step } from '../../src/activities/step.ts';
import { runStep } from '../../src/activities/step.ts';
import { SkyferryFailure } from '../../src/failures.ts';
import type { LiveProgress } from '../../src/workflows/messages.ts';

const untilAborted = async ({ signal }: Step): Promise<never> =>
  await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

test('heart-beats with the last progress', async () => {
  const environment = new MockActivityEnvironment();
  const beats: LiveProgress[] = [];
  environment.on('heartbeat', (details) => beats.push(details as LiveProgress));
  await environment.run(
    async () =>
      await runStep('indexes', async ({ report }) => {
        report({ step: 'one' });
        report({ step: 'two' });
        await new Promise((resolve) => setTimeout(resolve, 1_300));
      }),
  );
  expect(beats[0]?.activity).toBe('indexes');
  expect(beats.at(-1)?.step).toBe('two');
});

test('is cancelled when Temporal says so, whatever the engine makes of it', async () => {
  const environment = new MockActivityEnvironment();
  const running = environment.run(
    async () =>
      await runStep('copy', async (step) => {
        await untilAborted(step).catch(() => {
          throw new SkyferryFailure('CONNECTION_LOST', 'socket destroyed');
        });
      }),
  );
  environment.cancel();
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
});

test('an engine that reports nothing for too long is stopped and tried again', async () => {
  const environment = new MockActivityEnvironment();
  const running = environment.run(
    async () => await runStep('copy', untilAborted, { stallsAfterMs: 500 }),
  );
  await expect(running).rejects.toMatchObject({ type: 'TRANSIENT', nonRetryable: false });
});

test('a failure travels with its code and advice, without cause and stack', () => {
  const failure = toApplicationFailure(
    new SkyferryFailure('ACCESS_DENIED', 'login refused', { next: 'GRANT …', errno: 1045 }),
  );
  expect(failure).toMatchObject({
    type: 'ACCESS_DENIED',
    message: 'login refused',
    nonRetryable: true,
    details: [{ next: 'GRANT …', errno: 1045 }],
    stack: '',
  });
  expect(failure.cause).toBeUndefined();
});

test('only what may go away by itself is tried again; a lost epoch is taken back', () => {
  const retried = (code: 'CONNECTION_LOST' | 'EPOCH_LOST' | 'SCHEMA_CHANGED') =>
    (toApplicationFailure(new SkyferryFailure(code, '')) as ApplicationFailure).nonRetryable;
  expect(retried('CONNECTION_LOST')).toBe(false);
  expect(retried('EPOCH_LOST')).toBe(false);
  expect(retried('SCHEMA_CHANGED')).toBe(true);
});

test('of an unexpected error only the class travels', async () => {
  const environment = new MockActivityEnvironment();
  const running = environment.run(
    async () =>
      await runStep('copy', async () => {
        throw new TypeError("Duplicate entry 'alice@example.org'");
      }),
  );
  const failure = (await running.catch((error: unknown) => error)) as ApplicationFailure;
  expect(failure.type).toBe('INTERNAL');
  expect(`${failure.message} ${JSON.stringify(failure.details)} ${failure.stack}`).not.toContain(
    'alice',
  );
});
