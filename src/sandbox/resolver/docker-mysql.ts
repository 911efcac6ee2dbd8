import { userInfo } from 'node:os';
import { run } from '../process/run.ts';
import { lastLines } from './debian-packages.ts';
import type { ResolveContext, Provider } from './program.ts';
import { Unavailable } from './program.ts';

export const MYSQL_IMAGE = 'mysql:8.4.6';

/** The vendor's image, its server run in the foreground on the host's network and folders. */
export const dockerMysqlProvider: Provider = {
  name: 'docker',
  neverRun: 'the authors had no Docker engine',
  check: async (context) => {
    await engine(context);
    return `would run ${MYSQL_IMAGE}`;
  },
  provide: async (context) => {
    await engine(context);
    context.progress(`MySQL: pulling ${MYSQL_IMAGE}`);
    const pull = await run(['docker', 'pull', MYSQL_IMAGE], {
      signal: context.signal,
      env: context.env,
    });
    if (pull.status !== 0) throw new Unavailable(`docker pull failed: ${lastLines(pull.stderr)}`);
    const { uid, gid } = userInfo();
    return {
      where: MYSQL_IMAGE,
      command: (folders) => [
        'docker',
        'run',
        '--rm',
        '--init',
        '--network=host',
        `--user=${uid}:${gid}`,
        ...folders.map((folder) => `--volume=${folder}:${folder}`),
        '--entrypoint=mysqld',
        MYSQL_IMAGE,
      ],
    };
  },
};

async function engine({ signal, env }: ResolveContext): Promise<void> {
  const command = ['docker', 'version', '--format', '{{.Server.Version}}'];
  const { status, stderr } = await run(command, { signal, env, timeoutMs: 10_000 });
  if (status !== 0) throw new Unavailable(`no engine answers (${lastLines(stderr)})`);
}
