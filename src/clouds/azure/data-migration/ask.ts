import type { DataMigrationServiceModels } from '@azure/arm-datamigration';
import { askAzure } from '../errors.ts';

export interface CallOptions {
  readonly abortSignal: SdkSignal;
}

type SdkSignal = NonNullable<
  DataMigrationServiceModels.ServicesDeleteMethodOptionalParams['abortSignal']
>;

/** See askAzure. This SDK is older than the platform's signals, and describes them by a type of its own. */
export async function askSdk<T>(
  doing: string,
  signal: AbortSignal,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  return await askAzure(doing, signal, async ({ abortSignal }) => {
    return await call({ abortSignal: abortSignal as SdkSignal });
  });
}
