import { expect, test } from 'vitest';
import { SkyferryFailure } from '../../../src/failures.ts';
import { patiently } from '../../../src/engines/azure-dms/patience.ts';

const { signal } = new AbortController();

test('a service that is throttled or out of reach is asked again, one that refuses is not', async () => {
  const answers = [
    new SkyferryFailure('CLOUD_BUSY', 'throttled'),
    new SkyferryFailure('CONNECTION_LOST', 'out of reach'),
  ];
  const ask = async () => {
    const next = answers.shift();
    if (next !== undefined) throw next;
    return 'there';
  };
  expect(await patiently(signal, ask)).toBe('there');
  const refuse = async () => {
    throw new SkyferryFailure('CLOUD_DENIED', 'refused');
  };
  await expect(patiently(signal, refuse)).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
});

test('whoever is told to stop does not wait for it', async () => {
  const stop = new AbortController();
  const asking = patiently(stop.signal, async () => {
    stop.abort(new Error('stopped'));
    throw new SkyferryFailure('CLOUD_BUSY', 'throttled');
  });
  await expect(asking).rejects.toThrow('stopped');
});
