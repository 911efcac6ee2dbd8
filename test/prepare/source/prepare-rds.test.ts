import { afterAll, beforeAll, expect, test } from 'vitest';
import { useNameServers } from '../../../src/mysql/name-resolution.ts';
import { surveySource } from '../../../src/prepare/source/survey.ts';
import type { TestClouds } from '../../clouds.ts';
import { startClouds } from '../../clouds.ts';
import { count, createInstance, globals, inputFor, perform, signal } from './rds-source.ts';

let clouds: TestClouds;
beforeAll(async () => {
  clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
});
afterAll(async () => {
  useNameServers(undefined);
  await clouds.stop();
});

test('an instance as it comes is led to ROW, FULL and GTID in a group of its own, one step at a time', async () => {
  await createInstance(clouds, 'orders', { BackupRetentionPeriod: 0 });
  const input = inputFor(clouds, { instance: 'orders' });
  const survey = await surveySource(input, { signal });
  expect(survey.acts.map(({ name, needsApproval }) => [name, needsApproval])).toEqual([
    ['aws/backup-retention', true],
    ['aws/parameter-group', false],
    ['aws/attach-parameter-group', false],
    ['aws/reboot', true],
    ['aws/gtid-mode/on', false],
    ['aws/reboot/on', true],
  ]);
  expect(survey.facts.join('\n')).toContain('log_bin OFF');
  expect(survey.address?.host).toMatch(/^orders\..*\.rds\.amazonaws\.com$/);

  const seen: string[] = [];
  for (const { name } of survey.acts) {
    await perform(name, input);
    const now = await globals(input, survey.address, ['log_bin', 'binlog_format', 'gtid_mode', 'enforce_gtid_consistency']); // prettier-ignore
    seen.push(`${name}: ${now.join(' ')}`);
  }
  expect(seen).toEqual([
    'aws/backup-retention: 1 MIXED OFF_PERMISSIVE OFF',
    'aws/parameter-group: 1 MIXED OFF_PERMISSIVE OFF',
    'aws/attach-parameter-group: 1 MIXED OFF_PERMISSIVE OFF',
    'aws/reboot: 1 ROW ON_PERMISSIVE WARN',
    'aws/gtid-mode/on: 1 ROW ON_PERMISSIVE WARN',
    'aws/reboot/on: 1 ROW ON ON',
  ]);
  const [image] = await globals(input, survey.address, ['binlog_row_image']);
  expect(image).toBe('FULL');
  const after = await surveySource(input, { signal });
  expect(after.acts).toEqual([]);
  expect(after.facts.join('\n')).toContain('parameter group skyferry-orders (in-sync)');
  expect(await count(clouds, 'RebootDBInstance')).toBe(2);
});
