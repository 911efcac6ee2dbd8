import { ParameterGroups, isDefaultGroup } from '../../clouds/aws/parameter-groups.ts';
import { RdsApi } from '../../clouds/aws/rds.ts';
import { SkyferryFailure, isFailure } from '../../failures.ts';
import type { Foreign, RdsInstance } from './fence.ts';
import { pause } from './statement.ts';

/** What stands in the instance's group before it is changed. */
export interface FormerParameter {
  readonly group: string;
  /** Absent: the engine's own. */
  readonly value?: string;
  /** Why it is not ours to change. */
  readonly foreign?: Foreign;
}

const ASK_AGAIN_MS = 500;

/** One dynamic parameter of an instance's own group: a change of another's would reach others too. */
export class RdsParameter {
  readonly #rds: RdsInstance;
  readonly #name: string;

  constructor(rds: RdsInstance, name: string) {
    this.#rds = rds;
    this.#name = name;
  }

  async read(signal: AbortSignal): Promise<FormerParameter> {
    const { instance } = this.#rds;
    const api = new RdsApi(await this.#rds.client());
    const server = { scope: 'instance', id: instance } as const;
    const view = await api.view(server, signal);
    if (view === null)
      throw new SkyferryFailure('CLOUD_FAILED', `there is no instance ${instance}`);
    const group = view.parameterGroup;
    const users = await api.membersOf(group, server, signal);
    const others = users.filter((id) => id !== instance);
    const groups = await this.#groups();
    const value = (await groups.parameters(group, [this.#name], signal)).get(this.#name)?.value;
    const foreign = isDefaultGroup(group)
      ? notOurs(`${instance} has the default parameter group ${group}, which cannot be changed`)
      : others.length > 0
        ? notOurs(
            `the parameter group ${group} is used by ${others.join(', ')} too, which would be stopped`,
          )
        : view.applyStatus !== 'in-sync'
          ? notOurs(`the parameter group ${group} is not in effect yet (${view.applyStatus})`)
          : undefined;
    return {
      group,
      ...(typeof value === 'string' && { value }),
      ...(foreign !== undefined && { foreign }),
    };
  }

  /** RDS refuses while it still applies another value to the group. Takes effect on the server later. */
  async set(group: string, value: string, withinMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + withinMs;
    const parameter = { name: this.#name, value, applyType: 'dynamic', modifiable: true } as const;
    const groups = await this.#groups();
    for (;;) {
      try {
        await groups.set(group, [parameter], signal);
        return;
      } catch (error) {
        const again = isFailure(error) && error.retryable && performance.now() < deadline;
        if (!again) throw error;
        await pause(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** For a person. */
  command(group: string, value: string): string {
    return `aws rds modify-db-parameter-group --db-parameter-group-name ${group} --parameters 'ParameterName=${this.#name},ParameterValue=${value},ApplyMethod=immediate'`;
  }

  async #groups(): Promise<ParameterGroups> {
    return new ParameterGroups(await this.#rds.client(), 'instance');
  }
}

function notOurs(found: string): Foreign {
  return {
    found,
    fix: 'give the instance a parameter group of its own and reboot it, or choose another fence',
  };
}
