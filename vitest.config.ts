import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/suite.ts',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    fileParallelism: true,
    // Each has servers of its own: with more of them two cores keep no test's time.
    maxWorkers: 2,
  },
});
