import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import type { Settings } from '../lib/core/config.js'
import { EXIT } from '../lib/core/errors.js'
import type { StatusReport } from '../lib/operator/status-report.js'

const WATCH_MS = 1_000

export default class Status extends BaseCommand {
  static override summary = 'show what runs and how it is'
  static override description =
    'Listens to heartbeats for 0.7 s and asks Redis for checkpoints and gaps. Exits 3 when something is degraded or nothing runs.'
  static override examples = [
    { description: 'a table', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --json' },
    { description: 'again and again', command: '<%= config.bin %> <%= command.id %> --watch' },
    { description: 'never fail', command: '<%= config.bin %> <%= command.id %> --no-fail' },
  ]
  static override flags = {
    fail: Flags.boolean({ summary: 'exit 3 when something is degraded', allowNo: true, default: true }),
    watch: Flags.boolean({ char: 'w', summary: 'look every second until Ctrl-C' }),
    for: durationFlag({ summary: 'with --watch: stop after so long', dependsOn: ['watch'] }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  private readonly stop = new AbortController()

  protected override onClosedPipe(): void {
    this.stop.abort()
    super.onClosedPipe()
  }

  async run(): Promise<StatusReport | undefined> {
    const { flags } = await this.parse(Status)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { renderStatus } = await import('../lib/operator/status-view.js')
    const { stdout } = process
    const render = (report: StatusReport) => renderStatus(report, { width: this.width, color: this.colors })
    let report: StatusReport | undefined
    if (flags.watch) {
      report = await this.watch(settings, flags.for, render)
    } else {
      const { readStatus } = await import('../lib/operator/status.js')
      report = await readStatus({ settings, clock: systemClock })
      if (stdout.isTTY) this.log(render(report))
      else this.log(JSON.stringify(report))
    }
    if (report?.healthy !== true && flags.fail) process.exitCode = EXIT.UNHEALTHY
    return flags.watch ? undefined : report
  }

  private async watch(
    settings: Settings,
    forMs: number | undefined,
    render: (report: StatusReport) => string,
  ): Promise<StatusReport | undefined> {
    const { showStatus } = await import('../lib/operator/run-top.js')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => this.stop.abort())
    }
    return await showStatus({
      ...{ settings, clock: systemClock, everyMs: WATCH_MS, signal: this.stop.signal, forMs },
      ...{ json: this.jsonEnabled(), terminal: process.stdout, render },
    })
  }
}
