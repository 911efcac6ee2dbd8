import { defineConfig } from 'vitest/config';

/** On real accounts, or with `--fakes` on the sandbox's: `npm run test:cloud`. One test after the other. */
export default defineConfig({
  test: {
    include: ['test/cloud/**/*.cloud.ts'],
    globalSetup: 'test/cloud/announce.ts',
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
