import type { Parameter } from '@aws-sdk/client-rds';
import { required } from './instance-checks.ts';
import type { PageInput } from './paging.ts';
import { filtered, page } from './paging.ts';
import { membersOf, ownGroup } from './parameter-groups.ts';
import type { GroupScope, ParameterDefinition } from './parameters.ts';
import { definitionsOf, isAllowedValue } from './parameters.ts';
import { QueryFailure } from '../query-protocol.ts';
import type { Group, Rds } from './state.ts';
import { findGroup } from './state.ts';
import type { RdsTasks } from './tasks.ts';

interface ListInput extends PageInput {
  readonly Source?: string | undefined;
  readonly Filters?:
    | readonly {
        readonly Name?: string | undefined;
        readonly Values?: readonly string[] | undefined;
      }[]
    | undefined;
}

export function listParameters(
  rds: Rds,
  scope: GroupScope,
  name: string,
  input: ListInput,
): { Parameters: Parameter[]; Marker?: string } {
  const group = findGroup(rds, scope, name);
  const all = definitionsOf(group.family, scope)
    .map((definition) => describeParameter(group, definition))
    .filter(({ Source }) => input.Source === undefined || Source === input.Source);
  const kept = filtered(all, input.Filters, {
    'parameter-name': ({ ParameterName }) => ParameterName ?? null,
  });
  const { items, ...more } = page(kept, input);
  return { Parameters: items, ...more };
}

function describeParameter({ values }: Group, definition: ParameterDefinition): Parameter {
  const { name, allowed } = definition;
  const set = values[name];
  const value = set?.value ?? definition.value;
  return {
    ParameterName: name,
    ...(value !== null && { ParameterValue: value }),
    Source: set !== undefined ? 'user' : definition.value === null ? 'engine-default' : 'system',
    ApplyType: definition.applyType,
    DataType: definition.dataType,
    ...(allowed !== null && { AllowedValues: allowed }),
    IsModifiable: definition.modifiable,
    ApplyMethod: set?.method ?? 'pending-reboot',
  };
}

/** Attached instances get dynamic parameters at once, static ones with their next reboot. */
export function modifyGroup(
  rds: Rds,
  tasks: RdsTasks,
  scope: GroupScope,
  name: string,
  parameters: readonly Parameter[],
): void {
  const group = ownGroup(rds, scope, name, 'modified');
  checkCount(parameters);
  const values = structuredClone(group.values);
  for (const parameter of parameters) {
    const definition = definitionIn(group, scope, parameter);
    const value = required('Parameters.member.1.ParameterValue', parameter.ParameterValue);
    checkValue(definition, value);
    values[definition.name] = { value, method: methodOf(definition, parameter) };
  }
  checkGtid(scope, group, values);
  group.values = values;
  apply(rds, tasks, scope, name);
}

export function resetGroup(
  rds: Rds,
  tasks: RdsTasks,
  scope: GroupScope,
  name: string,
  { all, parameters }: { all: boolean; parameters: readonly Parameter[] },
): void {
  const group = ownGroup(rds, scope, name, 'modified');
  if (all === parameters.length > 0) {
    throw new QueryFailure(
      'InvalidParameterCombination',
      'Either ResetAllParameters or Parameters must be given',
    );
  }
  if (!all) checkCount(parameters);
  const values = all ? {} : structuredClone(group.values);
  for (const parameter of parameters) {
    const definition = definitionIn(group, scope, parameter);
    methodOf(definition, parameter);
    delete values[definition.name];
  }
  checkGtid(scope, group, values);
  group.values = values;
  apply(rds, tasks, scope, name);
}

function apply(rds: Rds, tasks: RdsTasks, scope: GroupScope, name: string): void {
  for (const instance of membersOf(rds, scope, name)) {
    if (instance.status !== 'available') continue;
    instance.applying = true;
    tasks.applyParameters(instance);
  }
}

function checkCount(parameters: readonly Parameter[]): void {
  if (parameters.length === 0 || parameters.length > 20) {
    throw new QueryFailure(
      'InvalidParameterValue',
      `${parameters.length} parameters: between 1 and 20 can be modified in a single request`,
    );
  }
}

function definitionIn(
  group: Group,
  scope: GroupScope,
  { ParameterName }: Parameter,
): ParameterDefinition {
  const name = required('Parameters.member.1.ParameterName', ParameterName);
  const definition = definitionsOf(group.family, scope).find((one) => one.name === name);
  if (definition === undefined) {
    throw new QueryFailure('InvalidParameterValue', `Could not find parameter with name: ${name}`);
  }
  if (!definition.modifiable) {
    throw new QueryFailure('InvalidParameterValue', `The parameter ${name} cannot be modified.`);
  }
  return definition;
}

function methodOf(
  { applyType }: ParameterDefinition,
  { ApplyMethod }: Parameter,
): 'immediate' | 'pending-reboot' {
  const method = required('Parameters.member.1.ApplyMethod', ApplyMethod);
  if (method !== 'immediate' && method !== 'pending-reboot') {
    throw new QueryFailure('InvalidParameterValue', `Invalid apply method ${String(method)}`);
  }
  if (applyType === 'static' && method === 'immediate') {
    throw new QueryFailure(
      'InvalidParameterCombination',
      'cannot use immediate apply method for static parameter',
    );
  }
  return method;
}

function checkValue(definition: ParameterDefinition, value: string): void {
  if (isAllowedValue(definition, value)) return;
  throw new QueryFailure(
    'InvalidParameterValue',
    `Invalid parameter value: ${value} for: ${definition.name} allowed values are: ${definition.allowed ?? 'any'}`,
  );
}

function checkGtid(scope: GroupScope, { family }: Group, values: Group['values']): void {
  const valueOf = (name: string) =>
    values[name]?.value ?? definitionsOf(family, scope).find((one) => one.name === name)?.value;
  const consistency = valueOf('enforce_gtid_consistency')?.toUpperCase();
  if (valueOf('gtid-mode')?.toUpperCase() === 'ON' && consistency !== 'ON') {
    throw new QueryFailure(
      'InvalidParameterValue',
      'having gtid-mode set to ON requires enforce_gtid_consistency to be ON',
    );
  }
}
