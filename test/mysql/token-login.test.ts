import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveEndpoint } from '../../src/config/endpoints.ts';
import { createSecretResolver } from '../../src/config/secrets.ts';
import { openDumpSession } from '../../src/mysql/binlog/dump-socket.ts';
import { withConnection } from '../../src/mysql/connection.ts';
import type { Endpoint } from '../../src/mysql/endpoint.ts';
import { openRawConnection } from '../../src/mysql/open-raw-connection.ts';
import { createAuthority } from '../../src/sandbox/servers/certificates.ts';
import type { TestMysql } from '../servers.ts';
import { startMysql } from '../servers.ts';
import type { TokenGateway } from './token-gateway.ts';
import { isSignedToken, startTokenGateway } from './token-gateway.ts';

const keys = { accessKeyId: 'AKIDEXAMPLE', secretKey: 'example-secret-key', region: 'eu-west-1' };
let server: TestMysql;
let gateway: TokenGateway;
let login: Endpoint;

beforeAll(async () => {
  const authority = await createAuthority('Gateway authority');
  server = await startMysql();
  await withConnection(server.endpoint, {}, (c) => c.execute("CREATE USER iam@'%'"));
  gateway = await startTokenGateway(
    server.endpoint,
    await authority.issue(['localhost']),
    (token, user) => isSignedToken(token, keys, { host: 'localhost', port: gateway.port, user }),
  );
  const secrets = createSecretResolver({
    secretsDirectory: undefined,
    env: {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretKey,
      CA: authority.certificate,
    },
  });
  login = await resolveEndpoint(
    {
      kind: 'rds-mysql',
      host: 'localhost',
      port: gateway.port,
      user: 'iam',
      region: keys.region,
      authentication: 'iam',
      tls: { mode: 'verify-identity', ca: '${env:CA}' },
    },
    secrets,
  );
});
afterAll(async () => {
  gateway.close();
  await server.stop();
});

test('each login brings a token of its own, signed for this server and account', async () => {
  const before = gateway.tokens.length;
  const me = await withConnection(login, {}, (c) => c.query('SELECT CURRENT_USER() AS me'));
  expect(me).toEqual([{ me: 'iam@%' }]);
  const raw = await openRawConnection(login);
  expect(String((await raw.rows('SELECT CURRENT_USER()'))[0]?.[0])).toBe('iam@%');
  await raw.close();
  const dump = await openDumpSession(login, undefined);
  expect(await dump.query('SELECT CURRENT_USER() AS me')).toEqual([{ me: 'iam@%' }]);
  dump.destroy();
  expect(gateway.tokens).toHaveLength(before + 3);
});

test('a token of another key is refused as any wrong password is', async () => {
  const { token } = login;
  const forged = { ...login, token: async () => `${await token?.()}0` };
  await expect(withConnection(forged, {}, (c) => c.query('SELECT 1'))).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
  });
});

test('a token is never sent to a server whose identity is not verified', async () => {
  const before = gateway.tokens.length;
  const plain: Endpoint = { ...login, tls: { mode: 'disabled' } };
  await expect(withConnection(plain, {}, (c) => c.query('SELECT 1'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  const { tls } = server.endpoint;
  await expect(openRawConnection({ ...login, tls })).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
  expect(gateway.tokens).toHaveLength(before);
});

test('a password is never sent in clear, whoever asks for it', async () => {
  const before = gateway.tokens.length;
  const { host, port, user, tls } = login;
  const password: Endpoint = { host, port, user, password: 'a-password', tls };
  await expect(withConnection(password, {}, (c) => c.query('SELECT 1'))).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
  });
  expect(gateway.tokens).toHaveLength(before);
});
