import { SkyferryFailure } from '../failures.ts';
import type { MigrationConfig } from './schema.ts';
import { migrationConfigSchema } from './schema.ts';
import type { z } from 'zod';

/** One thing that is wrong in a configuration. `path` is as the user wrote it, e.g. `source.port`. */
export interface ConfigIssue {
  readonly path: string;
  readonly keys: readonly (string | number)[];
  readonly message: string;
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: MigrationConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Validates untrusted JSON. Collects every issue; unknown keys are issues too. */
export function parseConfig(json: unknown): ParsedConfig {
  const result = migrationConfigSchema.safeParse(json);
  const issues = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => toIssues(issue, json))),
    ...relations(json),
  ];
  return result.success && issues.length === 0
    ? { ok: true, config: result.data }
    : { ok: false, issues };
}

/** For inputs that carry no line numbers: a workflow's input, for instance. */
export function requireConfig(json: unknown): MigrationConfig {
  const parsed = parseConfig(json);
  if (parsed.ok) return parsed.config;
  const lines = parsed.issues.map(({ path, message }) => `  ${path || '(root)'}: ${message}`);
  throw new SkyferryFailure(
    'CONFIG_INVALID',
    `The configuration is not valid:\n${lines.join('\n')}`,
    {
      safe: 'nothing was changed',
      next: 'correct the lines above; `skyferry validate` checks a file without starting anything',
    },
  );
}

function toIssues(issue: z.core.$ZodIssue, json: unknown): ConfigIssue[] {
  const at = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => configIssue([...at, key], 'unknown key'));
  }
  const given = at.reduce<unknown>((value, key) => field(value, String(key)), json);
  if (given === undefined && at.length > 0) return [configIssue(at, 'is missing')];
  if (issue.code === 'invalid_union' && 'options' in issue) {
    const kinds = (issue.options ?? []).filter((kind) => kind !== undefined);
    return [configIssue(at, `must be one of ${kinds.map(String).join(', ')}`)];
  }
  return [configIssue(at, issue.message.replace(/^Invalid (input|option): /, ''))];
}

/** What one field cannot know of another. Runs on raw JSON, so that all errors are shown at once. */
function relations(json: unknown): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const schemas = field(json, 'schemas');
  if (Array.isArray(schemas)) {
    for (const [index, schema] of schemas.entries()) {
      if (typeof schema !== 'string') continue;
      if (systemSchemas.has(schema.toLowerCase())) {
        issues.push(configIssue(['schemas', index], `${schema} is not an application's schema`));
      }
      if (schemas.indexOf(schema) !== index) {
        issues.push(configIssue(['schemas', index], `${schema} is named twice`));
      }
    }
  }
  const source = field(json, 'source');
  const target = field(json, 'target');
  if (
    typeof field(source, 'host') === 'string' &&
    field(source, 'host') === field(target, 'host') &&
    (field(source, 'port') ?? 3306) === (field(target, 'port') ?? 3306)
  ) {
    issues.push(configIssue(['target', 'host'], 'is the same server as the source'));
  }
  const kind = field(source, 'kind');
  if (kind === 'rds-mysql' || kind === 'aurora-mysql') issues.push(...rdsRelations(source));
  if (field(json, 'engine') === 'azure-dms') issues.push(...dmsRelations(json));
  const timeZone = field(field(field(json, 'cutover'), 'window'), 'timeZone');
  if (typeof timeZone === 'string' && !isTimeZone(timeZone)) {
    issues.push(
      configIssue(['cutover', 'window', 'timeZone'], 'is not a time zone, e.g. Europe/Berlin'),
    );
  }
  return issues;
}

function rdsRelations(source: unknown): ConfigIssue[] {
  if (field(source, 'authentication') !== 'iam') {
    return field(source, 'password') === undefined
      ? [configIssue(['source', 'password'], 'is needed, or authentication: iam')]
      : [];
  }
  return field(field(source, 'tls'), 'mode') === 'disabled'
    ? [configIssue(['source', 'tls', 'mode'], 'must be verify-identity: a token is sent as it is')]
    : [];
}

function dmsRelations(json: unknown): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (field(field(json, 'target'), 'kind') !== 'azure-mysql-flexible') {
    issues.push(
      configIssue(['target', 'kind'], 'must be azure-mysql-flexible for engine: azure-dms'),
    );
  }
  if (field(json, 'azureDms') === undefined) {
    issues.push(
      configIssue(['azureDms'], 'is needed for engine: azure-dms, with the subnet of its service'),
    );
  }
  if (field(field(json, 'source'), 'authentication') === 'iam') {
    issues.push(
      configIssue(
        ['source', 'authentication'],
        'must be password for engine: azure-dms: the service logs in by itself, for longer than a token holds',
      ),
    );
  }
  return issues;
}

const systemSchemas = new Set([
  'mysql',
  'sys',
  'information_schema',
  'performance_schema',
  'skyferry',
]);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function configIssue(keys: readonly (string | number)[], message: string): ConfigIssue {
  const path = keys
    .map((k, i) => (typeof k === 'number' ? `[${k}]` : i === 0 ? k : `.${k}`))
    .join('');
  return { path, keys, message };
}
