import { setTimeout as sleep } from 'node:timers/promises';
import type { Comparison } from './comparison.ts';
import type { RowsDigest } from './digest.ts';
import { digestMultiset } from './digest.ts';
import { readKeys } from './read-keys.ts';
import type { KeyValue, RowForm, Side } from './row-form.ts';
import { describeKey } from './row-form.ts';
import type { Pair } from './session.ts';
import type { DifferenceKind } from './verdict.ts';

/** A difference that stayed while the source's row did not change from one look to the next. */
export interface Standing {
  readonly form: RowForm;
  /** null: a table, or part of one, without a key. */
  readonly key: readonly KeyValue[] | null;
  readonly label: string;
  readonly kind: DifferenceKind;
}

/** So many equal looks at the source in a row, before a difference counts as standing. */
const STANDING_LOOKS = 3;
const ROUNDS = 10;
const PAUSE_MS = 40;
/** Keys looked at with one wait for the applier. */
const GROUP_KEYS = 5_000;

/**
 * Looks at the rows of `keys` again until they are equal. Under writes: what still changes after all
 * rounds is left unsettled (it changed after the run's position, so the next run compares it); what
 * stands still and differs is returned. At rest one look decides.
 */
export async function settleKeys(
  comparison: Comparison,
  pair: Pair,
  form: RowForm,
  keys: readonly KeyValue[][],
): Promise<Standing[]> {
  const standing: Standing[] = [];
  for (let from = 0; from < keys.length; from += GROUP_KEYS) {
    const group = keys.slice(from, from + GROUP_KEYS);
    comparison.findings.rechecking += group.length;
    comparison.changed();
    standing.push(...(await settleGroup(comparison, pair, form, group)));
    comparison.findings.rechecking -= group.length;
  }
  return standing;
}

async function settleGroup(
  comparison: Comparison,
  pair: Pair,
  form: RowForm,
  keys: readonly KeyValue[][],
): Promise<Standing[]> {
  const looked = await settle(comparison, keys, {
    source: async (group) => await readKeys(pair.source, 'source', form, group),
    target: async (group) => await readKeys(pair.target, 'target', form, group),
  });
  return sortOut(comparison, looked, (key, source, target) => ({
    form,
    key,
    label: describeKey(form, key),
    kind: source === null ? 'extra' : target === null ? 'missing' : 'changed',
  }));
}

/** The same for rows that only their whole set can identify; `where` null: the whole table. */
export async function settleMultiset(
  comparison: Comparison,
  pair: Pair,
  form: RowForm,
  where: string | null,
): Promise<{ standing: Standing[]; source: RowsDigest }> {
  let lastSource: RowsDigest = { rows: 0, digest: '' };
  let lastTarget = lastSource;
  const read = async (side: Side): Promise<RowsDigest> =>
    await digestMultiset(
      pair[side],
      `SELECT ${form.columns} FROM ${form.name[side]}${where === null ? '' : ` WHERE ${where}`}`,
    );
  const looked = await settle(comparison, [null], {
    source: async () => {
      lastSource = await read('source');
      return [`${lastSource.rows} ${lastSource.digest}`];
    },
    target: async () => {
      lastTarget = await read('target');
      return [`${lastTarget.rows} ${lastTarget.digest}`];
    },
  });
  const standing = sortOut(comparison, looked, () => ({
    form,
    key: null,
    label: `(no key) ${lastSource.rows} rows on the source, ${lastTarget.rows} on the target`,
    kind:
      lastTarget.rows < lastSource.rows
        ? 'missing'
        : lastTarget.rows > lastSource.rows
          ? 'extra'
          : 'changed',
  }));
  return { standing, source: lastSource };
}

type Digest = string | null;

interface Looked<T> {
  readonly subject: T;
  readonly source: Digest;
  readonly target: Digest;
  readonly outcome: 'standing' | 'moving';
}

interface Readers<T> {
  source(subjects: readonly T[]): Promise<Digest[]>;
  target(subjects: readonly T[]): Promise<Digest[]>;
}

async function settle<T>(
  comparison: Comparison,
  subjects: readonly T[],
  read: Readers<T>,
): Promise<Looked<T>[]> {
  let open = subjects.map((subject) => ({
    subject,
    source: undefined as Digest | undefined,
    looks: 0,
  }));
  const done: Looked<T>[] = [];
  for (let round = 0; open.length > 0; round++) {
    comparison.signal.throwIfAborted();
    if (round > 0) {
      await sleep(PAUSE_MS * Math.min(round, 5), undefined, { signal: comparison.signal });
    }
    const asked = open.map(({ subject }) => subject);
    const [sources, targets] = await lookAtBoth(comparison, asked, read);
    const left: typeof open = [];
    for (const [i, { subject, source: before, looks: looksBefore }] of open.entries()) {
      const source = sources[i] ?? null;
      const target = targets[i] ?? null;
      if (source === target) continue;
      const looks = source === before ? looksBefore + 1 : 1;
      if (comparison.atRest || looks >= STANDING_LOOKS) {
        done.push({ subject, source, target, outcome: 'standing' });
      } else if (round + 1 >= ROUNDS) {
        done.push({ subject, source, target, outcome: 'moving' });
      } else left.push({ subject, source, looks });
    }
    open = left;
  }
  return done;
}

async function lookAtBoth<T>(
  comparison: Comparison,
  subjects: readonly T[],
  read: Readers<T>,
): Promise<[Digest[], Digest[]]> {
  if (comparison.atRest) {
    return await Promise.all([read.source(subjects), read.target(subjects)]);
  }
  // The order matters: what the source showed is applied before the target is asked.
  const sources = await read.source(subjects);
  await comparison.caughtUp();
  return [sources, await read.target(subjects)];
}

function sortOut<T>(
  comparison: Comparison,
  looked: readonly Looked<T>[],
  describe: (subject: T, source: Digest, target: Digest) => Standing,
): Standing[] {
  const standing: Standing[] = [];
  for (const { subject, source, target, outcome } of looked) {
    const found = describe(subject, source, target);
    if (outcome === 'standing') {
      comparison.findings.standing++;
      standing.push(found);
    } else comparison.findings.leaveUnsettled(found.form.table.name, found.label);
  }
  return standing;
}
