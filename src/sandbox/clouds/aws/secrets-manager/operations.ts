import { randomBytes, randomUUID } from 'node:crypto';
import { AwsJsonError } from '../json-protocol.ts';

interface Version {
  readonly id: string;
  readonly text: string | null;
  /** Base64. */
  readonly binary: string | null;
  stages: string[];
  readonly created: number;
}

interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly created: number;
  tags: { Key: string; Value?: string }[];
  rotation: { lambda: string | undefined; rules: unknown } | null;
  versions: Version[];
}

export interface Secrets {
  readonly secrets: Record<string, Secret>;
}

interface Account {
  readonly state: Secrets;
  /** Up to the secret's name. */
  readonly arnPrefix: string;
}

/** Checked against the vendor's schema already: names and kinds of members are right. */
type Input = Readonly<Record<string, unknown>>;
type Operation = (account: Account, input: Input) => Readonly<Record<string, unknown>>;

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

const createSecret: Operation = ({ state, arnPrefix }, input) => {
  const name = text(input, 'Name') ?? '';
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) {
    throw invalid('Invalid name. Must be a valid name containing alphanumeric characters');
  }
  if (Object.hasOwn(state.secrets, name)) {
    throw new AwsJsonError(
      'ResourceExistsException',
      `The operation failed because the secret ${name} already exists.`,
    );
  }
  const secret: Secret = {
    arn: `${arnPrefix}${name}-${randomBytes(3).toString('hex')}`,
    name,
    description: text(input, 'Description'),
    created: now(),
    tags: (input['Tags'] ?? []) as Secret['tags'],
    rotation: null,
    versions: [],
  };
  state.secrets[name] = secret;
  const named = { ARN: secret.arn, Name: name };
  if (input['SecretString'] === undefined && input['SecretBinary'] === undefined) return named;
  return { ...named, VersionId: putVersion(secret, input, [CURRENT]).id };
};

const describeSecret: Operation = ({ state }, input) => {
  const secret = find(state, input);
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description !== undefined && { Description: secret.description }),
    CreatedDate: secret.created,
    Tags: secret.tags,
    ...(secret.rotation !== null && {
      RotationEnabled: true,
      RotationLambdaARN: secret.rotation.lambda,
      RotationRules: secret.rotation.rules,
    }),
    VersionIdsToStages: Object.fromEntries(
      secret.versions.filter((v) => v.stages.length > 0).map(({ id, stages }) => [id, stages]),
    ),
  };
};

const getSecretValue: Operation = ({ state }, input) => {
  const secret = find(state, input);
  const id = text(input, 'VersionId');
  const stage = text(input, 'VersionStage') ?? (id === undefined ? CURRENT : undefined);
  const version = secret.versions.find(
    (each) =>
      (id === undefined || each.id === id) && (stage === undefined || each.stages.includes(stage)),
  );
  if (version === undefined) {
    const what = id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`;
    throw notFound(`Secrets Manager can't find the specified secret value for ${what}`);
  }
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...(version.text !== null && { SecretString: version.text }),
    ...(version.binary !== null && { SecretBinary: version.binary }),
    VersionStages: version.stages,
    CreatedDate: version.created,
  };
};

const putSecretValue: Operation = ({ state }, input) => {
  const secret = find(state, input);
  const stages = (input['VersionStages'] ?? [CURRENT]) as string[];
  if (stages.length === 0 || stages.length > 20) throw invalid('VersionStages: 1 to 20 labels');
  const version = putVersion(secret, input, stages);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    VersionStages: version.stages,
  };
};

/** One token is one version: the same content again changes nothing, other content is refused. */
function putVersion(secret: Secret, input: Input, stages: readonly string[]): Version {
  const id = text(input, 'ClientRequestToken') ?? randomUUID();
  if (id.length < 32 || id.length > 64) throw invalid('ClientRequestToken must be 32-64 long.');
  const value = text(input, 'SecretString') ?? null;
  const binary = text(input, 'SecretBinary') ?? null;
  if ((value === null) === (binary === null)) {
    throw invalid('You must provide either SecretString or SecretBinary.');
  }
  if (Buffer.byteLength(value ?? binary ?? '') > 65_536) throw invalid('The secret is too long.');
  const former = secret.versions.find((each) => each.id === id);
  if (former !== undefined) {
    if (former.text === value && former.binary === binary) return former;
    throw new AwsJsonError(
      'ResourceExistsException',
      `A resource with the ID ${id} already exists.`,
    );
  }
  const version: Version = { id, text: value, binary, stages: [], created: now() };
  secret.versions.push(version);
  for (const stage of stages) attach(secret, stage, version);
  return version;
}

/** Compare-and-set: where the label is now must be said, or nothing happens. */
const updateSecretVersionStage: Operation = ({ state }, input) => {
  const secret = find(state, input);
  const stage = text(input, 'VersionStage') ?? '';
  const holder = secret.versions.find((each) => each.stages.includes(stage));
  const from = text(input, 'RemoveFromVersionId');
  const to = text(input, 'MoveToVersionId');
  if (from === undefined && to === undefined) {
    throw invalid('You must provide MoveToVersionId or RemoveFromVersionId.');
  }
  if (holder !== undefined && from === undefined && holder.id !== to) {
    throw invalid(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (from !== undefined && holder?.id !== from) {
    throw invalid(`Staging label ${stage} isn't currently attached to version ${from}.`);
  }
  const next = to === undefined ? null : secret.versions.find((each) => each.id === to);
  if (next === undefined) throw notFound("Secrets Manager can't find the specified version.");
  if (next === null && stage === CURRENT) throw invalid(`You can't remove ${CURRENT}.`);
  if (next === null) detach(secret, stage);
  else attach(secret, stage, next);
  return { ARN: secret.arn, Name: secret.name };
};

function attach(secret: Secret, stage: string, to: Version): void {
  const from = secret.versions.find((each) => each.stages.includes(stage));
  if (from === to) return;
  detach(secret, stage);
  to.stages.push(stage);
  if (stage === CURRENT && from !== undefined) attach(secret, PREVIOUS, from);
}

function detach(secret: Secret, stage: string): void {
  for (const version of secret.versions) {
    version.stages = version.stages.filter((each) => each !== stage);
  }
}

const tagResource: Operation = ({ state }, input) => {
  const secret = find(state, input);
  const given = input['Tags'] as Secret['tags'];
  const kept = secret.tags.filter(({ Key }) => !given.some((tag) => tag.Key === Key));
  secret.tags = [...kept, ...given];
  return {};
};

/** Only turns rotation on: no function is called. */
const rotateSecret: Operation = ({ state }, input) => {
  const secret = find(state, input);
  const lambda = text(input, 'RotationLambdaARN') ?? secret.rotation?.lambda;
  if (lambda === undefined) throw invalid('No Lambda rotation function ARN is associated.');
  secret.rotation = { lambda, rules: input['RotationRules'] ?? secret.rotation?.rules };
  return { ARN: secret.arn, Name: secret.name };
};

/** By the names that the vendor gives them. */
export const operations = {
  CreateSecret: createSecret,
  DescribeSecret: describeSecret,
  GetSecretValue: getSecretValue,
  PutSecretValue: putSecretValue,
  UpdateSecretVersionStage: updateSecretVersionStage,
  TagResource: tagResource,
  RotateSecret: rotateSecret,
} as const;

function find({ secrets }: Secrets, input: Input): Secret {
  const id = text(input, 'SecretId') ?? '';
  const secret = Object.values(secrets).find(({ arn, name }) => id === arn || id === name);
  if (secret === undefined) throw notFound("Secrets Manager can't find the specified secret.");
  return secret;
}

function text(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}

/** Seconds, as JSON 1.1 has timestamps. */
const now = (): number => Date.now() / 1000;
const invalid = (message: string) => new AwsJsonError('InvalidParameterException', message);
const notFound = (message: string) => new AwsJsonError('ResourceNotFoundException', message);
