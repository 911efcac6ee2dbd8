import type { LocatedConfig } from '../config/located.ts';
import type { Engine } from '../config/schema.ts';
import { isFailure } from '../failures.ts';
import type { Connection } from '../mysql/connection.ts';
import { openConnection } from '../mysql/connection.ts';
import type { Endpoint } from '../mysql/endpoint.ts';
import { describeEndpoint } from '../mysql/endpoint.ts';
import { checks, engineChecks } from './checks/index.ts';
import { emptyCatalog } from '../mysql/catalog/types.ts';
import type { Catalog } from '../mysql/catalog/types.ts';
import { readCatalog } from '../mysql/catalog/read.ts';
import type { EngineAssessment } from './assessment.ts';
import { assessEngines, findingsOf } from './assessment.ts';
import { chooseEngine, explainNoChoice } from './choose-engine.ts';
import type { ConsumerLogin, ConsumerSwitch } from './facts.ts';
import { readServers } from './facts.ts';
import type { Check, Finding } from './finding.ts';

export interface PreflightInput {
  readonly config: LocatedConfig;
  /** The one in use; null: `auto`, which is still to choose. */
  readonly engine: Engine | null;
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly fence?: Endpoint | undefined;
  readonly consumers?: readonly ConsumerLogin[];
  readonly switches?: readonly ConsumerSwitch[];
}

export interface PreflightOptions {
  readonly signal: AbortSignal;
  readonly onCheck?: (title: string) => void;
}

export interface PreflightResult {
  /** Of what any engine needs, and of the engine in use, or that `auto` takes. */
  readonly findings: readonly Finding[];
  /** Of all engines; [] while the servers cannot be looked at. */
  readonly engines: readonly EngineAssessment[];
}

/** Runs every check and returns everything found. It reads only: nothing is changed on either server. */
export async function runPreflight(
  input: PreflightInput,
  options: PreflightOptions,
): Promise<PreflightResult> {
  const login = await logIn(input, options);
  try {
    if (login.source === undefined || login.target === undefined)
      return { findings: login.findings, engines: [] };
    const { source, target, fence } = login;
    const { catalog, ...read } = await tryCatalog(source, input.config);
    const facts = {
      config: input.config,
      catalog,
      ...(await readServers(input.config, { source, target, fence })),
      consumers: input.consumers ?? [],
      switches: input.switches,
      signal: options.signal,
    };
    const run = async (check: Check) => {
      options.signal.throwIfAborted();
      options.onCheck?.(check.title);
      const found = whatCounts(await check.run(facts), read.findings);
      return found.map((finding) => accepted(finding, input.config.preflight.accept));
    };
    const findings = [...login.findings, ...read.findings].map((finding) =>
      accepted(finding, input.config.preflight.accept),
    );
    for (const check of checks) findings.push(...(await run(check)));
    const engines = await assessEngines(engineChecks, run);
    return { findings: [...findings, ...ofEngine(engines, input.engine)], engines };
  } finally {
    await Promise.all([login.source, login.target, login.fence].map(async (c) => c?.close()));
  }
}

/** What concerns the engine in use; for `auto` also that there is none to take. */
function ofEngine(engines: readonly EngineAssessment[], inUse: Engine | null): Finding[] {
  const choice = inUse === null ? chooseEngine(engines) : { engine: inUse, why: null };
  if (choice === null) {
    return [
      { code: 'engine', severity: 'blocker', object: 'engine: auto', ...explainNoChoice(engines) },
    ];
  }
  const chosen = engines.find(({ engine }) => engine === choice.engine);
  return [
    ...(choice.why === null
      ? []
      : [
          {
            code: 'engine',
            severity: 'info' as const,
            object: 'engine: auto',
            found: `takes ${choice.engine}: ${choice.why}`,
          },
        ]),
    ...(chosen === undefined ? [] : findingsOf(chosen)),
  ];
}

/** A catalog that cannot be read is a finding; the checks of privileges then say why. */
export async function tryCatalog(
  source: Connection,
  { schemas }: LocatedConfig,
): Promise<{ catalog: Catalog; findings: Finding[] }> {
  try {
    return { catalog: await readCatalog(source, schemas), findings: [] };
  } catch (error) {
    if (!isFailure(error) || error.retryable) throw error;
    const finding: Finding = {
      code: 'catalog',
      severity: 'blocker',
      object: `source schemas ${schemas.join(', ')}`,
      found: `cannot be read: ${error.message}`,
      fix: error.detail.next ?? 'see the privileges of the source account below',
    };
    return { catalog: emptyCatalog, findings: [finding] };
  }
}

/** Of a catalog that could not be read all tables are as they should be: that all is well is not believed. */
export function whatCounts(
  found: readonly Finding[],
  unread: readonly Finding[],
): readonly Finding[] {
  if (unread.length === 0) return found;
  return found.filter(({ severity }) => severity === 'blocker' || severity === 'warning');
}

export function blockers(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'blocker');
}

/** A warning that the user named in `preflight.accept` becomes information; a blocker stays one. */
export function accepted(finding: Finding, codes: readonly string[]): Finding {
  return finding.severity === 'warning' && codes.includes(finding.code)
    ? { ...finding, severity: 'info', found: `${finding.found} (accepted)` }
    : finding;
}

interface Login {
  source: Connection | undefined;
  target: Connection | undefined;
  fence: Connection | undefined;
  findings: Finding[];
}

/** Connectivity, login and TLS with verified identity: the check that all others need. */
async function logIn(input: PreflightInput, { signal, onCheck }: PreflightOptions): Promise<Login> {
  onCheck?.('both servers answer, with a verified identity');
  const findings: Finding[] = [];
  const open = async (role: 'source' | 'target' | 'fence', endpoint: Endpoint | undefined) => {
    if (endpoint === undefined) return undefined;
    const object = `${role} ${describeEndpoint(endpoint)}`;
    try {
      const connection = await openConnection(endpoint, { signal });
      findings.push(
        endpoint.tls.mode === 'verify-identity'
          ? {
              code: 'connectivity',
              severity: 'ok',
              object,
              found: 'answers; its identity is verified',
            }
          : {
              code: 'connectivity',
              severity: 'warning',
              object,
              found: 'answers, without TLS: passwords and rows are readable on the way',
              fix: 'set tls.mode: verify-identity',
            },
      );
      return connection;
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      findings.push({
        code: 'connectivity',
        severity: 'blocker',
        object,
        found: error.message,
        fix:
          error.code === 'ACCESS_DENIED'
            ? 'check the user, its password reference and from which hosts it may log in'
            : 'check host, port, firewall, and tls.ca against the certificate that the server shows',
      });
      return undefined;
    }
  };
  const source = await open('source', input.source);
  const target = await open('target', input.target);
  const fence = await open('fence', input.fence);
  return { source, target, fence, findings };
}
