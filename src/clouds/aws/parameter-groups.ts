import type { Parameter, RDSClient, Tag } from '@aws-sdk/client-rds';
import { askAws, isAwsError } from './errors.ts';
import type { RdsServer } from './rds.ts';

export interface GroupView {
  readonly name: string;
  readonly family: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface GroupParameter {
  /** As the group spells it: `gtid-mode`, where the server says `gtid_mode`. */
  readonly name: string;
  /** Null: the engine's own. */
  readonly value: string | null;
  /** `dynamic` takes effect at once, `static` with the next reboot. */
  readonly applyType: 'dynamic' | 'static';
  readonly modifiable: boolean;
}

/** RDS spells some parameters with hyphens; by this all names are the server's. */
export function variableName(parameter: string): string {
  return parameter.replaceAll('-', '_');
}

export function isDefaultGroup(name: string): boolean {
  return name.startsWith('default.');
}

/** What RDS takes in one order. */
const MOST_AT_ONCE = 20;

/** Parameter groups of instances, or of clusters: RDS has each call twice. Throws CLOUD_… failures. */
export class ParameterGroups {
  readonly #client: RDSClient;
  readonly #scope: RdsServer['scope'];

  constructor(client: RDSClient, scope: RdsServer['scope']) {
    this.#client = client;
    this.#scope = scope;
  }

  /** Null: there is none of that name. */
  async view(name: string, signal: AbortSignal): Promise<GroupView | null> {
    const sdk = await import('@aws-sdk/client-rds');
    return await askAws(`describing the parameter group ${name}`, signal, async (options) => {
      const described = await this.#describe(name, options).catch((error: unknown) => {
        if (isAwsError(error, 'DBParameterGroupNotFound')) return null;
        throw error;
      });
      if (described === null) return null;
      const { arn, family } = described;
      if (isDefaultGroup(name)) return { name, family, tags: {} };
      const list = new sdk.ListTagsForResourceCommand({ ResourceName: arn });
      const { TagList = [] } = await this.#client.send(list, options);
      const tags = Object.fromEntries(TagList.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
      return { name, family, tags };
    });
  }

  async #describe(name: string, options: { abortSignal: AbortSignal }) {
    const sdk = await import('@aws-sdk/client-rds');
    if (this.#scope === 'instance') {
      const command = new sdk.DescribeDBParameterGroupsCommand({ DBParameterGroupName: name });
      const { DBParameterGroups = [] } = await this.#client.send(command, options);
      const [group] = DBParameterGroups;
      const { DBParameterGroupArn: arn = '', DBParameterGroupFamily: family = '' } = group ?? {};
      return { arn, family };
    }
    const command = new sdk.DescribeDBClusterParameterGroupsCommand({
      DBClusterParameterGroupName: name,
    });
    const { DBClusterParameterGroups = [] } = await this.#client.send(command, options);
    const [group] = DBClusterParameterGroups;
    const { DBClusterParameterGroupArn: arn = '', DBParameterGroupFamily: family = '' } =
      group ?? {};
    return { arn, family };
  }

  /** Those of the wanted server variables that the group has, by the variable's name. */
  async parameters(
    name: string,
    variables: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, GroupParameter>> {
    const sdk = await import('@aws-sdk/client-rds');
    const wanted = new Set(variables);
    const found = new Map<string, GroupParameter>();
    await askAws(`reading the parameter group ${name}`, signal, async () => {
      const client = this.#client;
      const pages =
        this.#scope === 'instance'
          ? sdk.paginateDescribeDBParameters({ client }, { DBParameterGroupName: name })
          : sdk.paginateDescribeDBClusterParameters(
              { client },
              { DBClusterParameterGroupName: name },
            );
      for await (const { Parameters = [] } of pages) {
        signal.throwIfAborted();
        for (const parameter of Parameters) {
          const variable = variableName(parameter.ParameterName ?? '');
          if (wanted.has(variable)) found.set(variable, toGroupParameter(parameter));
        }
      }
    });
    return found;
  }

  /** A group of that name that is there already is left as it is: the caller looks whose it is. */
  async create(
    { name, family, tags }: GroupView,
    description: string,
    signal: AbortSignal,
  ): Promise<void> {
    const sdk = await import('@aws-sdk/client-rds');
    const common = { DBParameterGroupFamily: family, Description: description, Tags: toTags(tags) };
    await askAws(`creating the parameter group ${name}`, signal, async (options) =>
      unlessThere(
        this.#scope === 'instance'
          ? this.#client.send(
              new sdk.CreateDBParameterGroupCommand({ ...common, DBParameterGroupName: name }),
              options,
            )
          : this.#client.send(
              new sdk.CreateDBClusterParameterGroupCommand({
                ...common,
                DBClusterParameterGroupName: name,
              }),
              options,
            ),
      ),
    );
  }

  /** With every value of the other, which cannot be a default one. */
  async copy(
    from: string,
    { name, tags }: GroupView,
    description: string,
    signal: AbortSignal,
  ): Promise<void> {
    const sdk = await import('@aws-sdk/client-rds');
    const Tags = toTags(tags);
    await askAws(`copying the parameter group ${from} to ${name}`, signal, async (options) =>
      unlessThere(
        this.#scope === 'instance'
          ? this.#client.send(
              new sdk.CopyDBParameterGroupCommand({
                SourceDBParameterGroupIdentifier: from,
                TargetDBParameterGroupIdentifier: name,
                TargetDBParameterGroupDescription: description,
                Tags,
              }),
              options,
            )
          : this.#client.send(
              new sdk.CopyDBClusterParameterGroupCommand({
                SourceDBClusterParameterGroupIdentifier: from,
                TargetDBClusterParameterGroupIdentifier: name,
                TargetDBClusterParameterGroupDescription: description,
                Tags,
              }),
              options,
            ),
      ),
    );
  }

  /** Takes effect on every server that uses the group: dynamic ones at once, static ones after a reboot. */
  async set(
    name: string,
    values: readonly (GroupParameter & { readonly value: string })[],
    signal: AbortSignal,
  ): Promise<void> {
    if (values.length > MOST_AT_ONCE) throw new RangeError('more than RDS takes in one order');
    const sdk = await import('@aws-sdk/client-rds');
    const Parameters = values.map((one): Parameter => ({
      ParameterName: one.name,
      ParameterValue: one.value,
      ApplyMethod: one.applyType === 'static' ? 'pending-reboot' : 'immediate',
    }));
    await askAws(`setting values in the parameter group ${name}`, signal, async (options) => {
      if (this.#scope === 'instance') {
        const input = { DBParameterGroupName: name, Parameters };
        await this.#client.send(new sdk.ModifyDBParameterGroupCommand(input), options);
      } else {
        const input = { DBClusterParameterGroupName: name, Parameters };
        await this.#client.send(new sdk.ModifyDBClusterParameterGroupCommand(input), options);
      }
    });
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const sdk = await import('@aws-sdk/client-rds');
    await askAws(`deleting the parameter group ${name}`, signal, async (options) => {
      if (this.#scope === 'instance') {
        const input = { DBParameterGroupName: name };
        await this.#client.send(new sdk.DeleteDBParameterGroupCommand(input), options);
      } else {
        const input = { DBClusterParameterGroupName: name };
        await this.#client.send(new sdk.DeleteDBClusterParameterGroupCommand(input), options);
      }
    });
  }
}

function toGroupParameter(parameter: Parameter): GroupParameter {
  return {
    name: parameter.ParameterName ?? '',
    value: parameter.ParameterValue ?? null,
    applyType: parameter.ApplyType === 'dynamic' ? 'dynamic' : 'static',
    modifiable: parameter.IsModifiable ?? false,
  };
}

function toTags(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Sent twice, by the SDK or by a worker that took over: the first one counts, and is looked at afterwards. */
async function unlessThere(sent: Promise<unknown>): Promise<void> {
  await sent.catch((error: unknown) => {
    if (!isAwsError(error, 'DBParameterGroupAlreadyExists')) throw error;
  });
}
