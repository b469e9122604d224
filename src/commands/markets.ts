import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import type { MarketsReport } from '../lib/operator/markets.js'
import type { UnpairedReport } from '../lib/operator/markets-unpaired.js'
import type { PolymarketReport } from '../lib/operator/polymarket-markets.js'

export default class Markets extends BaseCommand {
  static override summary = "a venue's game markets: prices, fees and rules, as it lists them now"
  static override description =
    "Asks the venue's public catalog; no key is needed. A + behind the tick: finer or coarser steps at other prices (--json has them all). The fee is that of taking one contract at 0.50; least is the smallest order, delay how long the venue holds a marketable one. Exits 6 when the venue does not answer."
  static override examples = [
    {
      description: 'open games of a league',
      command: '<%= config.bin %> <%= command.id %> kalshi --league nba',
    },
    {
      description: 'why the others are left out',
      command: '<%= config.bin %> <%= command.id %> kalshi --league nba --skipped',
    },
    {
      description: 'one game with its rules, of production',
      command:
        '<%= config.bin %> <%= command.id %> kalshi --event KXNBAGAME-26JUN13NYKSAS --rules --env prod',
    },
    {
      description: "Polymarket's open games of a league",
      command: '<%= config.bin %> <%= command.id %> polymarket --league nba',
    },
    {
      description: 'which games are paired now, and of every other market why not',
      command: '<%= config.bin %> <%= command.id %> --unpaired --league nba',
    },
    { description: 'one object', command: '<%= config.bin %> <%= command.id %> --status closed --json' },
  ]
  static override args = {
    venue: Args.string({
      description: 'whose markets',
      options: ['kalshi', 'polymarket'],
      default: 'kalshi',
    }),
  }
  static override flags = {
    league: Flags.string({
      summary: 'one league; all of the settings when not given',
      options: ['nba', 'wnba', 'nfl', 'nhl', 'mlb', 'cfb', 'cbb', 'epl', 'mls'],
      exclusive: ['event'],
    }),
    event: Flags.string({
      summary: "one event of any status: Kalshi's ticker, Polymarket's slug",
      helpValue: '<id>',
      exclusive: ['status'],
    }),
    status: Flags.option({
      summary: 'Kalshi: markets of this status; open when not given',
      options: ['unopened', 'open', 'paused', 'closed', 'settled'] as const,
    })(),
    skipped: Flags.boolean({ summary: 'also list those that are left out, and why' }),
    rules: Flags.boolean({ summary: 'also print the rules that decide who is paid' }),
    unpaired: Flags.boolean({
      summary: "pair both venues' games of today and yesterday, and tell why each other market is not paired",
      exclusive: ['event', 'status', 'rules'],
    }),
    env: envFlag,
  }

  async run(): Promise<MarketsReport | PolymarketReport | UnpairedReport> {
    const { args, flags } = await this.parse(Markets)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, leagues: flags.league },
      { live: true },
    )
    const { renderMarkets, renderUnpaired } = await import('../lib/operator/markets-view.js')
    const { stdout } = process
    const options = { width: this.width, color: this.colors, skipped: flags.skipped }
    if (flags.unpaired) {
      const { lookForUnpaired } = await import('../lib/operator/markets-unpaired.js')
      const unpaired = await lookForUnpaired({ settings, clock: systemClock })
      this.log(stdout.isTTY ? renderUnpaired(unpaired, options) : JSON.stringify(unpaired))
      return unpaired
    }
    const { event, status, rules } = flags
    const asked = { settings, clock: systemClock, event, status, rules }
    const report =
      args.venue === 'polymarket'
        ? await (await import('../lib/operator/polymarket-markets.js')).listPolymarket(asked)
        : await (await import('../lib/operator/markets.js')).listMarkets(asked)
    if (stdout.isTTY) this.log(renderMarkets(report, options))
    else this.log(JSON.stringify(report))
    return report
  }
}
