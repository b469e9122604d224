import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the timing-sensitive socket tests fight each other.
    maxWorkers: 2,
    // Real sockets, processes and clocks on a machine that others use: once more is fair, and the report says so.
    retry: 1,
    disableConsoleIntercept: true,
  },
})
