import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { SETTINGS, environmentName, loadSettings } from '../lib/core/config.js'
import type { Settings } from '../lib/core/config.js'
import { readDotenv } from '../lib/core/dotenv.js'
import type { Dotenv } from '../lib/core/dotenv.js'
import { EXIT, messageOf } from '../lib/core/errors.js'
import type { HaltReport } from '../lib/operator/halt.js'

export default class Halt extends BaseCommand {
  static override summary = 'stop trading: no new entry from now on'
  static override description =
    'Tells exec by three ways at once (a file in its data dir, its recovery socket, a key in Redis), so that it works with the bus down or Redis down, and shows when exec said that it has stopped. It stays stopped, over restarts too, until `resume`. Hedges of plans that are open go on, unless --all stops them as well, whatever is unhedged then. Exits 3 when no exec said that it stopped: one that starts later will be halted by what is there.'
  static override examples = [
    { description: 'no new entries', command: '<%= config.bin %> <%= command.id %> --reason "odd fills"' },
    {
      description: 'nothing more at all, hedges included',
      command: '<%= config.bin %> <%= command.id %> --all',
    },
    {
      description: 'the same by hand, in the data dir that exec names at its start',
      command: 'touch .arbees/halt',
    },
  ]
  static override flags = {
    all: Flags.boolean({ summary: 'stop hedges and retries of open plans too', default: false }),
    reason: Flags.string({ summary: 'why, for the record', helpValue: '<text>' }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<HaltReport> {
    const { flags } = await this.parse(Halt)
    const settings = this.settingsOrDefaults({
      ...{ config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      redis_url: flags['redis-url'],
    })
    const { haltTrading } = await import('../lib/operator/halt.js')
    const { renderSteps } = await import('../lib/operator/halt-view.js')
    const level = flags.all ? 'all' : 'entries'
    const reason = flags.reason ?? 'no reason was given'
    const report = await haltTrading({ settings, clock: systemClock, level, reason })
    const { stdout, stderr } = process
    if (stdout.isTTY) this.log(renderSteps(report.steps, { width: this.width, color: this.colors }))
    else this.log(JSON.stringify(report))
    if (report.halted === null) {
      const isPlaced = report.steps.some(({ result }) => result === 'done')
      stderr.write(
        isPlaced
          ? 'no exec said that it stopped: if one runs, it may still trade, so stop it; one that starts here is halted\n'
          : 'nothing of this could be done: stop exec itself\n',
      )
      process.exitCode = isPlaced ? EXIT.UNHEALTHY : EXIT.UNREACHABLE
    } else if (stdout.isTTY) stderr.write('goes on with: arbees resume --reason "…"\n')
    return report
  }

  /** Settings that cannot be read must not keep anybody from halting: what was given by name, and defaults, then. */
  private settingsOrDefaults(given: Parameters<BaseCommand['loadSettings']>[0]): Settings {
    try {
      return this.loadSettings(given, { live: true }).settings
    } catch (error) {
      process.stderr.write(`the settings cannot be read, so this goes by the defaults: ${messageOf(error)}\n`)
      const dotenv = dotenvOrNothing()
      const of = (key: 'data_dir' | 'env' | 'redis_url') => {
        const name = environmentName(key)
        return [given[key] as string | undefined, process.env[name], dotenv[name]?.value].find(
          (text) => text !== undefined && isUsable(key, text),
        )
      }
      const flags = { data_dir: of('data_dir'), env: of('env'), redis_url: of('redis_url') }
      return loadSettings({ flags, environment: {} }).settings
    }
  }
}

function dotenvOrNothing(): Dotenv {
  try {
    return readDotenv()
  } catch {
    return {}
  }
}

function isUsable(key: 'data_dir' | 'env' | 'redis_url', text: string): boolean {
  try {
    SETTINGS[key].parse(text)
    return true
  } catch {
    return false
  }
}
