import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import { SDK_ENTRY } from './go-temporal.ts';
import type { Provider } from './program.ts';
import { Unavailable } from './program.ts';

/**
 * Temporal's TypeScript SDK downloads a dev server for its test environment. It can only download by
 * starting one, so one is started and torn down.
 */
export const sdkDownloadProvider: Provider = {
  name: 'sdk-download',
  neverRun: 'the authors could not reach its download site; that it fails at once was seen',
  check: async () => "would let Temporal's SDK download a dev server",
  provide: async ({ cache, signal, progress }) => {
    const make = async (staging: string) => {
      progress("Temporal: trying the SDK's own downloader");
      const download = join(staging, 'download');
      await mkdir(download);
      const { TestWorkflowEnvironment } = await import('@temporalio/testing');
      const executable = { type: 'cached-download', downloadDir: download } as const;
      try {
        const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
        await environment.teardown();
      } catch (error) {
        throw new Unavailable(error instanceof Error ? firstLine(error.message) : 'failed');
      }
      const file = await largestFile(download);
      await chmod(file, 0o755);
      await rename(file, join(staging, 'temporal'));
      await rm(download, { recursive: true });
    };
    const entry = await cached(cache, SDK_ENTRY, make, { signal });
    const path = join(entry, 'temporal');
    return { where: path, command: () => [path] };
  },
};

async function largestFile(folder: string): Promise<string> {
  let largest: { path: string; size: number } | null = null;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { size } = await stat(path);
    if (largest === null || size > largest.size) largest = { path, size };
  }
  if (largest === null) throw new Unavailable('the downloader left no file');
  return largest.path;
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 300) ?? '';
}
