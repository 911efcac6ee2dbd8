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
  return new AwsSecretSwitch(options);
}

class AwsSecretSwitch implements Switch {
  readonly consumer: string;
  readonly #options: AwsSecretSwitchOptions;

  constructor(options: AwsSecretSwitchOptions) {
    this.consumer = options.consumer;
    this.#options = options;
  }

  describe(): string {
    const { secret, from, to, port } = this.#options;
    return `in AWS secret ${secret}, host from ${from} to ${to}${port === undefined ? '' : `, port ${port}`}`;
  }

  async precondition(signal: AbortSignal): Promise<void> {
    const { holds } = await this.#read(signal);
    if (typeof holds !== 'string') throw this.#stale(holds);
  }

  async do(signal: AbortSignal): Promise<void> {
    const current = await this.#read(signal);
    if (current.holds === 'to') return;
    if (current.holds !== 'from') throw this.#stale(current.holds);
    const version = await this.#writePending(current, signal);
    await this.#moveStage(current.version, version, 'to', signal);
  }

  async undo(signal: AbortSignal): Promise<void> {
    const { arn, version, versions, holds } = await this.#read(signal);
    if (holds === 'from') return;
    const former = versions.find((each) => versionAfter(this.#options, arn, each) === version);
    if (former === undefined) {
      const { from } = this.#options;
      throw this.#refuse('is not as Skyferry left it', `set its host back to ${from} by hand`);
    }
    await this.#moveStage(version, former, 'from', signal);
  }

  async probe(signal: AbortSignal): Promise<void> {
    const { holds } = await this.#read(signal);
    if (holds !== 'to') throw this.#refuse('is not switched', undefined, 'it was looked at only');
  }

  async #read(signal: AbortSignal): Promise<Current> {
    try {
      return await patiently(signal, async () => await this.#look(signal));
    } catch (error) {
      throw asSwitchFailure(error, 'this attempt did not touch the secret');
    }
  }

  async #look(signal: AbortSignal): Promise<Current> {
    const { secret } = this.#options;
    const client = await this.#options.client();
    const { DescribeSecretCommand, GetSecretValueCommand } = await sdk();
    const described = await askAws(`looking at secret ${secret}`, signal, (aborting) =>
      client
        .send(new DescribeSecretCommand({ SecretId: secret }), aborting)
        .catch((error: unknown) => {
          if (!isAwsError(error, 'ResourceNotFound')) throw error;
          throw this.#refuse('does not exist in that region', 'correct its name or region');
        }),
    );
    const versions = described.VersionIdsToStages ?? {};
    if (!Object.values(versions).some((stages) => stages.includes(CURRENT))) {
      throw this.#refuse('holds no value', 'give it the value that the application uses');
    }
    const current = await askAws(`reading secret ${secret}`, signal, (aborting) =>
      client.send(new GetSecretValueCommand({ SecretId: secret, VersionStage: CURRENT }), aborting),
    );
    const { SecretString, VersionId = '' } = current;
    if (described.RotationEnabled === true || described.OwningService !== undefined) {
      throw this.#refuse(
        'is rotated, which would undo the switch',
        'turn rotation off for the migration, or let the application read another secret',
      );
    }
    if (SecretString === undefined) throw this.#refuse('is binary, not JSON');
    return {
      arn: described.ARN ?? secret,
      version: VersionId,
      versions: Object.keys(versions),
      text: SecretString,
      holds: whatItHolds(SecretString, this.#options),
    };
  }

  /** The changed text as a version that no application reads yet; returns its id. */
  async #writePending({ arn, version: former, text }: Current, signal: AbortSignal) {
    const { secret } = this.#options;
    const client = await this.#options.client();
    const { PutSecretValueCommand } = await sdk();
    const version = versionAfter(this.#options, arn, former);
    const command = new PutSecretValueCommand({
      SecretId: secret,
      ClientRequestToken: version,
      SecretString: changed(text, this.#options),
      VersionStages: [PENDING],
    });
    const write = async () =>
      await askAws(`writing secret ${secret}`, signal, (aborting) =>
        client.send(command, aborting).catch((error: unknown) => {
          // What was sent is the secret itself, and the text could quote it.
          throw withoutText(error);
        }),
      );
    await patiently(signal, write).catch((error: unknown) => {
      throw asSwitchFailure(error, 'applications read what they read before');
    });
    return version;
  }

  async #moveStage(
    removeFrom: string,
    moveTo: string,
    wanted: 'from' | 'to',
    signal: AbortSignal,
  ): Promise<void> {
    const { secret } = this.#options;
    const client = await this.#options.client();
    const { UpdateSecretVersionStageCommand } = await sdk();
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secret,
      VersionStage: CURRENT,
      RemoveFromVersionId: removeFrom,
      MoveToVersionId: moveTo,
    });
    const move = async () =>
      await askAws(`switching secret ${secret}`, signal, (aborting) =>
        client.send(command, aborting),
      );
    await patiently(signal, move).catch(async (error: unknown) => {
      // The answer may have been lost, and the SDK's own repetition is refused then.
      const now = await this.#read(signal);
      if (now.holds === wanted) return;
      if (now.version !== removeFrom) throw this.#stale(now.holds);
      throw asSwitchFailure(error, 'applications read what they read before');
    });
  }

  #stale(holds: Current['holds']): SkyferryFailure {
    return holds === 'from' || holds === 'to'
      ? this.#refuse('was changed by somebody else', 'find out by whom, then retry')
      : this.#refuse(holds.wrong, 'set it back, or correct the configuration');
  }

  #refuse(what: string, next?: string, safe = 'the secret is unchanged'): SkyferryFailure {
    return new SkyferryFailure('SWITCH_FAILED', `secret ${this.#options.secret}: ${what}`, {
      safe,
      ...(next !== undefined && { next }),
    });
  }
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
