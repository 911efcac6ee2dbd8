import type { Scope } from './scope.ts';

/** Between two shared accounts, in the order of their keys as a careful application does; sometimes a fee. */
export async function transfer(scope: Scope): Promise<void> {
  const { random, shared } = scope;
  const from = random.pick(shared.accounts);
  const to = random.pick(shared.accounts);
  const amount = `${random.integer(1, 5000)}.${random.decimal(10, 0)}`;
  const postings = (
    [
      [from, `-${amount}`],
      [to, amount],
    ] as const
  ).toSorted((a, b) => (BigInt(a[0]) < BigInt(b[0]) ? -1 : 1));
  for (const [account, change] of postings) await scope.post(account, change);
  if (random.chance(0.2)) await changeMindHalfway(scope);
}

/** What is rolled back to a savepoint must not reach any server. */
async function changeMindHalfway(scope: Scope): Promise<void> {
  await scope.run('SAVEPOINT before_doubt');
  await leaveTrace(scope);
  await scope.run('ROLLBACK TO SAVEPOINT before_doubt');
}

/** Rows that only a transaction leaves that is rolled back later: sequence number 0. */
export async function leaveTrace(scope: Scope): Promise<void> {
  await scope.run(
    `INSERT INTO brokerage.ledger_entry (writer_id, session_no, seq, kind, digest, payload)
     SELECT writer_id, session_no, 0, 'rolled-back', digest, payload FROM brokerage.ledger_entry WHERE id = ${scope.entry}`,
  );
  await scope.run('INSERT INTO brokerage.tape (source, tag) VALUES (?, -1)', [scope.prefix]);
}
