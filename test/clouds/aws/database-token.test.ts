import { afterEach, expect, test, vi } from 'vitest';
import { createAwsClients } from '../../../src/clouds/aws/clients.ts';
import { openConnection } from '../../../src/mysql/connection.ts';

const login = { region: 'eu-west-1', host: 'db.example', port: 3306, user: 'shop' };

afterEach(() => vi.unstubAllEnvs());

test('credentials that are not found refuse the login by name, and are no defect', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  const clients = createAwsClients({ env: {} });
  const endpoint = {
    ...login,
    password: '',
    token: () => clients.databaseToken(login),
    tls: { mode: 'verify-identity' as const },
  };
  await expect(openConnection(endpoint)).rejects.toMatchObject({
    name: 'SkyferryFailure',
    code: 'CLOUD_DENIED',
  });
});
