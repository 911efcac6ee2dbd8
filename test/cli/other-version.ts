import { sleep } from '@temporalio/workflow';

/** What another version of the workflow might begin with. */
export async function migrateDatabase(): Promise<void> {
  await sleep('1d');
}
