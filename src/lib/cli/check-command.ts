/** The base of every `check`: one verdict in the format that was asked for, with the exit code that belongs to it. */

import { Flags } from '@oclif/core'
import { EXIT } from '../core/errors.js'
import type { CheckReport } from '../operator/check-report.js'
import { BaseCommand, firstLines } from './base-command.js'
import { envFlag, redisUrlFlag } from './flags.js'

/** Flags of every check. */
export const checkFlags = {
  format: Flags.string({
    summary: 'what to print',
    options: ['text', 'json', 'nagios', 'prometheus'],
    default: 'text',
  }),
  env: envFlag,
  'redis-url': redisUrlFlag,
}

interface TextOptions {
  readonly width: number
  readonly color: boolean
}

export abstract class CheckCommand extends BaseCommand {
  /** What it is about: `mirror`. */
  protected abstract readonly subject: string

  /** Prints the verdict and sets the exit code. `render` is for people. */
  protected async tell<Report extends CheckReport>(
    report: Report,
    format: string,
    render?: (report: Report, options: TextOptions) => string,
  ): Promise<Report> {
    const { exitOf, NAGIOS_EXIT } = await import('../operator/check-report.js')
    const { renderCheck, renderNagios, renderPrometheus } = await import('../operator/check-view.js')
    process.exitCode = this.isNagios ? NAGIOS_EXIT[report.state] : exitOf(report)
    if (this.jsonEnabled()) return report
    const { stdout } = process
    const options = { width: stdout.isTTY ? this.width : Infinity, color: this.colors }
    if (format === 'json') this.log(JSON.stringify(report))
    else if (format === 'nagios') this.log(renderNagios(report))
    else if (format === 'prometheus') this.log(renderPrometheus(report).trimEnd())
    else this.log((render ?? renderCheck)(report, options))
    return report
  }

  /** Whoever reads the output finds there too that the check could not be made. Nagios has a code of its own for it. */
  override async catch(error: Error & { exitCode?: number }): Promise<void> {
    await super.catch(error)
    if (process.exitCode === EXIT.OK || this.jsonEnabled()) return
    const { checkFailed } = await import('../operator/check-view.js')
    const text = checkFailed(this.subject, this.askedFormat, firstLines(error), process.exitCode)
    if (text !== '') process.stdout.write(`${text}\n`)
    if (this.isNagios) process.exitCode = 3
  }

  private get isNagios(): boolean {
    return this.askedFormat === 'nagios' && !this.jsonEnabled()
  }

  /** Asked also where the flags could not be parsed. */
  private get askedFormat(): string | undefined {
    const at = this.argv.indexOf('--format')
    const joined = this.argv.find((word) => word.startsWith('--format='))
    return joined?.slice('--format='.length) ?? (at === -1 ? undefined : this.argv[at + 1])
  }
}
