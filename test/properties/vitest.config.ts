import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/properties/setup.ts'],
    // As long as the runs that were asked for take.
    testTimeout: 0,
    hookTimeout: 30_000,
    maxWorkers: 2,
    disableConsoleIntercept: true,
  },
})
