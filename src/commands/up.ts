import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag, metricsFlags, redisUrlFlag } from '../lib/cli/flags.js'
import type { UpSummary } from '../lib/roles/up-summary.js'

export default class Up extends BaseCommand {
  static override summary = 'run every role in one terminal, supervised'
  static override description =
    'On sim data (the default) it also runs the simulated venues and keeps all state in a folder of the run. Without --redis-url it starts a private Redis on a free port. A live table on a terminal until Ctrl-C; elsewhere it stops after 60 s with a summary. With --metrics-port each role has a port of its own, from that one on.'
  static override examples = [
    { description: 'the whole system on simulated venues', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'half a minute, then one line of JSON',
      command: '<%= config.bin %> <%= command.id %> --for 30s --json',
    },
    {
      description: 'while the venues fail as a script says',
      command: '<%= config.bin %> <%= command.id %> --faults trouble.jsonl',
    },
    {
      description: 'with your own Redis',
      command: '<%= config.bin %> <%= command.id %> --redis-url redis://127.0.0.1:6379',
    },
  ]
  static override flags = {
    for: durationFlag({ summary: 'stop so long after everything is ready' }),
    env: envFlag,
    'redis-url': redisUrlFlag,
    shards: Flags.integer({ summary: 'how many shards', min: 1, max: 64, env: 'ARBEES_SHARDS' }),
    seed: Flags.integer({ summary: 'which simulated evening', default: 1, min: 0, env: 'ARBEES_SIM_SEED' }),
    speed: Flags.integer({
      summary: 'simulated seconds a second',
      default: 1,
      min: 1,
      max: 1000,
      env: 'ARBEES_SIM_SPEED',
    }),
    tape: Flags.string({ summary: 'let the simulator play recorded frames', helpValue: '<file>' }),
    faults: Flags.string({
      summary: 'let the simulated venues fail as this script says, JSON lines (see sim)',
      helpValue: '<file>',
    }),
    ...metricsFlags,
    keep: Flags.boolean({ summary: "keep the run's folder after a clean stop", default: false }),
  }

  async run(): Promise<{ summary: UpSummary }> {
    const { flags } = await this.parse(Up)
    const { runUp } = await import('../lib/operator/run-up.js')
    const loaded = this.loadSettings({
      config: flags.config,
      data_dir: flags['data-dir'],
      log_level: flags['log-level'],
      env: flags.env,
      redis_url: flags['redis-url'],
      shards: flags.shards,
      metrics_port: flags['metrics-port'],
      metrics_host: flags['metrics-host'],
    })
    const result = await runUp(loaded, {
      seed: flags.seed,
      speed: flags.speed,
      keep: flags.keep,
      screen: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
      color: this.colorsOn(process.stderr),
      ...(flags.tape === undefined ? {} : { tape: flags.tape }),
      ...(flags.faults === undefined ? {} : { faults: flags.faults }),
      ...(flags.for === undefined ? {} : { forMs: flags.for }),
    })
    // In a pipe the summary is the product; on a terminal the last table has said it.
    if (!this.jsonEnabled() && !process.stdout.isTTY) this.log(JSON.stringify(result))
    return result
  }
}
