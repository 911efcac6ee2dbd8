import { defineConfig } from 'vitest/config';

/** What takes too long for every change: `npm run test:soak`. One file at a time, undisturbed. */
export default defineConfig({
  test: {
    include: ['test/**/*.soak.ts'],
    globalSetup: 'test/suite.ts',
    testTimeout: 600_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
