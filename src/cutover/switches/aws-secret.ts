import { createHash } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askAws, isAwsError } from '../../clouds/aws/errors.ts';
import { SkyferryFailure } from '../../failures.ts';
import { membersOf, replaceValues } from './json-member.ts';
import { asSwitchFailure, patiently } from './patience.ts';
import type { Switch } from './switch.ts';

export interface AwsSecretSwitchOptions {
  readonly consumer: string;
  readonly migration: string;
  /** Name or ARN. */
  readonly secret: string;
  readonly from: string;
  readonly to: string;
  readonly port: number | undefined;
  readonly client: () => Promise<SecretsManagerClient>;
}

/** The stage of a version that Skyferry wrote; it stays on it and means nothing to applications. */
const PENDING = 'SKYFERRY_PENDING';
const CURRENT = 'AWSCURRENT';

/**
 * `host` (and `port`) in a secret's JSON. The changed text is stored as a version of its own, then
 * AWSCURRENT is moved to it from exactly the version that was read: Secrets Manager refuses when it is
 * elsewhere by now. Values of secrets are in no message.
 */
export function createAwsSecretSwitch(options: AwsSecretSwitchOptions): Switch {
  const { consumer, secret, from, to, port } = options;
  const refuse = (what: string, next?: string, safe = 'the secret is unchanged'): SkyferryFailure =>
    new SkyferryFailure('SWITCH_FAILED', `secret ${secret}: ${what}`, {
      safe,
      ...(next !== undefined && { next }),
    });

  const read = async (signal: AbortSignal): Promise<Current> => {
    try {
      return await patiently(signal, async () => await look(signal));
    } catch (error) {
      throw asSwitchFailure(error, 'this attempt did not touch the secret');
    }
  };

  const look = async (signal: AbortSignal): Promise<Current> => {
    const client = await options.client();
    const { DescribeSecretCommand, GetSecretValueCommand } = await sdk();
    const described = await askAws(`looking at secret ${secret}`, signal, (aborting) =>
      client
        .send(new DescribeSecretCommand({ SecretId: secret }), aborting)
        .catch((error: unknown) => {
          if (!isAwsError(error, 'ResourceNotFound')) throw error;
          throw refuse('does not exist in that region', 'correct its name or region');
        }),
    );
    const versions = described.VersionIdsToStages ?? {};
    if (!Object.values(versions).some((stages) => stages.includes(CURRENT))) {
      throw refuse('holds no value', 'give it the value that the application uses');
    }
    const current = await askAws(`reading secret ${secret}`, signal, (aborting) =>
      client.send(new GetSecretValueCommand({ SecretId: secret, VersionStage: CURRENT }), aborting),
    );
    const { SecretString, VersionId = '' } = current;
    if (described.RotationEnabled === true || described.OwningService !== undefined) {
      throw refuse(
        'is rotated, which would undo the switch',
        'turn rotation off for the migration, or let the application read another secret',
      );
    }
    if (SecretString === undefined) throw refuse('is binary, not JSON');
    return {
      arn: described.ARN ?? secret,
      version: VersionId,
      versions: Object.keys(versions),
      text: SecretString,
      holds: whatItHolds(SecretString, options),
    };
  };

  const moveStage = async (
    removeFrom: string,
    moveTo: string,
    wanted: 'from' | 'to',
    signal: AbortSignal,
  ): Promise<void> => {
    const client = await options.client();
    const { UpdateSecretVersionStageCommand } = await sdk();
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secret,
      VersionStage: CURRENT,
      RemoveFromVersionId: removeFrom,
      MoveToVersionId: moveTo,
    });
    await patiently(
      signal,
      async () =>
        await askAws(`switching secret ${secret}`, signal, (aborting) =>
          client.send(command, aborting),
        ),
    ).catch(async (error: unknown) => {
      // The answer may have been lost, and the SDK's own repetition is refused then.
      const now = await read(signal);
      if (now.holds === wanted) return;
      if (now.version !== removeFrom) throw stale(now.holds);
      throw asSwitchFailure(error, 'applications read what they read before');
    });
  };

  const stale = (holds: Current['holds']): SkyferryFailure =>
    holds === 'from' || holds === 'to'
      ? refuse('was changed by somebody else', 'find out by whom, then retry')
      : refuse(holds.wrong, 'set it back, or correct the configuration');

  return {
    consumer,
    describe: () =>
      `in AWS secret ${secret}, host from ${from} to ${to}${port === undefined ? '' : `, port ${port}`}`,
    async precondition(signal) {
      const { holds } = await read(signal);
      if (typeof holds !== 'string') throw stale(holds);
    },
    async do(signal) {
      const current = await read(signal);
      if (current.holds === 'to') return;
      if (current.holds !== 'from') throw stale(current.holds);
      const client = await options.client();
      const { PutSecretValueCommand } = await sdk();
      const version = versionAfter(options, current.arn, current.version);
      const command = new PutSecretValueCommand({
        SecretId: secret,
        ClientRequestToken: version,
        SecretString: changed(current.text, options),
        VersionStages: [PENDING],
      });
      await patiently(
        signal,
        async () =>
          await askAws(`writing secret ${secret}`, signal, (aborting) =>
            client.send(command, aborting).catch((error: unknown) => {
              // What was sent is the secret itself, and the text could quote it.
              throw withoutText(error);
            }),
          ),
      ).catch((error: unknown) => {
        throw asSwitchFailure(error, 'applications read what they read before');
      });
      await moveStage(current.version, version, 'to', signal);
    },
    async undo(signal) {
      const { arn, version, versions, holds } = await read(signal);
      if (holds === 'from') return;
      const former = versions.find((each) => versionAfter(options, arn, each) === version);
      if (former === undefined) {
        throw refuse('is not as Skyferry left it', `set its host back to ${from} by hand`);
      }
      await moveStage(version, former, 'from', signal);
    },
    async probe(signal) {
      const { holds } = await read(signal);
      if (holds !== 'to') throw refuse('is not switched', undefined, 'it was looked at only');
    },
  };
}

interface Current {
  readonly arn: string;
  /** Of AWSCURRENT. */
  readonly version: string;
  readonly versions: readonly string[];
  readonly text: string;
  readonly holds: 'from' | 'to' | { readonly wrong: string };
}

/**
 * The version that follows another one: a repetition writes the same one, and it tells later that it
 * is Skyferry's. Versions never change, so the former's id stands for its content; a hash of the
 * content itself would let anybody who may list versions try passwords.
 */
function versionAfter(
  { migration, from, to, port }: AwsSecretSwitchOptions,
  arn: string,
  former: string,
): string {
  const parts = JSON.stringify([migration, arn, former, from, to, port ?? null]);
  return createHash('sha256').update(parts).digest('hex');
}

type Endpoint = Pick<AwsSecretSwitchOptions, 'from' | 'to' | 'port'>;

function whatItHolds(text: string, { from, to, port }: Endpoint): Current['holds'] {
  const members = membersOf(text);
  if (members === null) return { wrong: 'is no JSON object' };
  const hosts = members.filter(({ name }) => name === 'host');
  const ports = members.filter(({ name }) => name === 'port');
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) return { wrong: 'has no member host, or several' };
  if (port !== undefined && ports.length !== 1) return { wrong: 'has no member port, or several' };
  const portIsNew = port === undefined || Number(ports[0]?.value) === port;
  if (host.value === to && portIsNew) return 'to';
  if (host.value === from) return 'from';
  return { wrong: `holds another host than ${from} or ${to}` };
}

/** A port that was written as text stays text. */
function changed(text: string, { to, port }: Endpoint): string {
  const members = (membersOf(text) ?? []).flatMap((member) => {
    if (member.name === 'host') return [{ member, value: to }];
    if (member.name !== 'port' || port === undefined) return [];
    return [{ member, value: typeof member.value === 'string' ? String(port) : port }];
  });
  return replaceValues(text, members);
}

const sdk = () => import('@aws-sdk/client-secrets-manager');

function withoutText(error: unknown): Error {
  const { name = 'Error', $metadata } = error as { name?: string; $metadata?: unknown };
  return Object.assign(new Error(''), { name, $metadata });
}
