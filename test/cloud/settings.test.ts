import { expect, test } from 'vitest';
import { ACCEPTED, announcement, readSettings } from './settings.ts';

test('everything that is missing is named at once, and nothing begins without acceptance', () => {
  const message = (env: NodeJS.ProcessEnv): string => {
    try {
      readSettings(env);
    } catch (error) {
      return String(error);
    }
    return '';
  };
  const names = message({}).match(/[A-Z][A-Z0-9_]+(?=:)/g) ?? [];
  expect(names).toContain('AZURE_CLIENT_SECRET');
  expect(names).toContain('SKYFERRY_TEST_RDS_INSTANCE');
  expect(names.length).toBeGreaterThan(15);

  const given = Object.fromEntries(names.map((name) => [name, 'given']));
  expect(message(given)).toContain('SKYFERRY_TEST_RDS_SCHEMA');
  const complete = { ...given, SKYFERRY_TEST_RDS_SCHEMA: 'shop' };
  expect(message(complete)).toContain(`${ACCEPTED} must be yes`);
  const settings = readSettings({ ...complete, [ACCEPTED]: 'yes' });
  expect(announcement(settings)).toMatch(/the RDS instance given .* changes nothing of it/);
  expect(announcement({ ...settings, aws: { ...settings.aws, instance: null } })).toMatch(
    /creates an RDS instance/,
  );
});
