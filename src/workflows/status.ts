import type { MigrationConfig } from '../config/schema.ts';
import type { MigrationStatus } from './messages.ts';
import { switchableEngines, wayOf, workflowId } from './messages.ts';
import { actsLeft, describePreparation, isApproved } from './preparation.ts';
import type { MigrationReport } from './results.ts';
import { engineInUse, refuseEngine } from './engine-in-use.ts';
import type { State } from './state.ts';
import { isOver } from './state.ts';

export function describeStatus(
  config: MigrationConfig,
  state: State,
  runId: string,
): MigrationStatus {
  const { approval, rejection, window, failure } = state;
  const engine = engineInUse(config, state);
  return {
    name: config.name,
    runId,
    phase: state.phase,
    way: wayOf(config),
    paused: state.paused,
    ...(engine !== null && { engine }),
    startedAt: state.startedAt,
    history: state.history,
    blockers: blockers(config, state),
    nextSteps: nextSteps(config, state),
    messages: state.messages,
    milestones: [...state.milestones],
    ...(state.parkedIn !== null && { parkedIn: state.parkedIn }),
    ...(state.plan !== null && { planHash: state.plan.hash }),
    ...(failure !== null && { failure }),
    ...(state.preparation !== null && {
      preparation: describePreparation(state.preparation, isOver(state.phase)),
    }),
    ...(approval !== null && { approval }),
    ...(rejection !== null && { rejection }),
    ...(window !== null && {
      window: { opensAt: window.opensAt, closesAt: window.closesAt, open: window.open },
    }),
    ...(state.lagMs !== null && { lagMs: state.lagMs }),
    ...(state.switchedAt !== null && { switchedAt: state.switchedAt }),
    ...(state.unfenceCommand !== null && { unfenceCommand: state.unfenceCommand }),
    ...(state.phase === 'aborted' && state.aborted !== null && { undone: state.aborted.undone }),
  };
}

export function describeReport(status: MigrationStatus, state: State): MigrationReport {
  const { findings, plan, provisioning, copy, verification, cutover, milestones, aborted } = state;
  return {
    status,
    findings,
    plan,
    clouds: state.preparation?.plan ?? null,
    provisioning,
    copy,
    verification,
    cutover,
    milestones,
    aborted,
    ...(state.lag !== null && { lag: state.lag }),
  };
}

/** Whoever approves must have read it. */
const NO_WAY_BACK =
  'after the switch, once the target has taken writes, there is no way back without loss';

/** Why it does not go on by itself, one line each. */
function blockers(config: MigrationConfig, state: State): string[] {
  const lines: string[] = [];
  if (isOver(state.phase)) return lines;
  if (state.paused) {
    const applying = state.loaded && state.switchedAt === null && state.applierFailure === null;
    lines.push(`paused${applying ? '; changes go on being applied' : ''}`);
  }
  if (state.failure !== null) lines.push(`${state.failure.code}: ${state.failure.message}`);
  if (state.binlog?.warning != null) lines.push(state.binlog.warning);
  if (state.applierFailure !== null && state.applierFailure !== state.failure) {
    lines.push(`changes are not applied: ${state.applierFailure.message}`);
  }
  if (state.startsOver) {
    lines.push('what is on the target is emptied and loaded anew when it is taken up again');
  }
  if (state.phase === 'parked' && state.parkedIn === 'preflight') {
    for (const { severity, object, found } of state.findings) {
      if (severity === 'blocker') lines.push([object, found].filter(Boolean).join(' '));
    }
  }
  if (state.phase === 'catching-up') {
    lines.push(`lag must stay below ${config.cutover.lagThreshold}`);
  }
  if (state.phase === 'awaiting-preparation') lines.push(...preparationBlockers(state));
  if (state.phase === 'awaiting-window' && state.window !== null) {
    lines.push(`the maintenance window opens at ${state.window.opensAt}`);
  }
  if (state.phase === 'awaiting-approval')
    lines.push('a person must approve the cutover', NO_WAY_BACK);
  if (state.rejection !== null) {
    const { by, reason } = state.rejection;
    lines.push(`the cutover was rejected by ${by}${reason === undefined ? '' : `: ${reason}`}`);
  }
  if (state.unsettled) lines.push('the source may still be fenced');
  return lines;
}

/** Whoever approves must have read what it interrupts and costs. */
function preparationBlockers({ preparation }: State): string[] {
  if (preparation === null) return [];
  return [
    'a person must approve the preparation',
    ...[...actsLeft(preparation, 'preparation'), ...actsLeft(preparation, 'before-window')]
      .filter(({ needsApproval }) => needsApproval)
      .map(({ does, interrupts, costs, cannotBeUndone }) =>
        [
          does,
          interrupts === null ? null : `interrupts ${interrupts}`,
          costs === null ? null : `costs ${costs}`,
          cannotBeUndone === null ? null : `cannot be undone: ${cannotBeUndone}`,
        ]
          .filter((part) => part !== null)
          .join('; '),
      ),
  ];
}

/** Exact commands that a person may type now. */
function nextSteps(config: MigrationConfig, state: State): string[] {
  const { name, cutover } = config;
  if (isOver(state.phase)) return [];
  const steps: string[] = [];
  if (state.paused) steps.push(`skyferry resume ${name}`, signal(name, 'resume'));
  if (state.phase === 'parked') {
    steps.push(`skyferry retry ${name}`, signal(name, 'retry-phase'));
    const [engine] = switchableEngines;
    if (
      engineInUse(config, state) !== null &&
      refuseEngine(config, state, { by: 'YOU', engine }) === null
    ) {
      steps.push(
        `skyferry switch-engine ${name} --to ${engine}`,
        signal(name, 'switch-engine', { engine }),
      );
    }
  }
  const { preparation } = state;
  if (state.phase === 'awaiting-preparation' && preparation !== null && !isApproved(preparation)) {
    steps.push(...approveCommands(name, 'approve-preparation', preparation.plan.hash));
  }
  if (cutover.approval.required && mayBeApproved(state)) {
    steps.push(...approveCommands(name, 'approve-cutover', state.plan?.hash));
  }
  if (state.binlog?.next != null && state.switchedAt === null) steps.push(state.binlog.next);
  if (state.failure?.next !== undefined) steps.unshift(state.failure.next);
  return steps;
}

/** While it is parked an approval is taken, and helps nothing: what it waits for comes first. */
function mayBeApproved({ phase, verifiedOnce, approval, switchedAt }: State): boolean {
  if (!verifiedOnce || approval !== null || switchedAt !== null) return false;
  return phase !== 'cutting-over' && phase !== 'parked';
}

function approveCommands(
  name: string,
  message: 'approve-preparation' | 'approve-cutover',
  planHash: string | undefined,
): string[] {
  return [
    `skyferry ${message} ${name}${planHash === undefined ? '' : ` --plan-hash ${planHash}`}`,
    signal(name, message, planHash === undefined ? {} : { planHash }),
  ];
}

function signal(name: string, message: string, more: Record<string, string> = {}): string {
  const input = JSON.stringify({ by: 'YOU', ...more });
  return `temporal workflow signal -w ${workflowId(name)} --name ${message} --input '${input}'`;
}
