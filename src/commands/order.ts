import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { durationFlag, envFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { ArbeesError, EXIT } from '../lib/core/errors.js'
import type { OrderReport } from '../lib/operator/order.js'

const EXIT_OF = {
  filled: EXIT.OK,
  partial: EXIT.OK,
  nothing: EXIT.OK,
  denied: EXIT.REFUSED,
  expired: EXIT.REFUSED,
  refused: EXIT.REFUSED,
  rejected: EXIT.FAILED,
  voided: EXIT.FAILED,
  unknown: EXIT.FAILED,
  open: EXIT.TIMEOUT,
} as const

/** Within it a venue's delay and a first look at what is unknown; exec goes on after it. */
const TIMEOUT_MS = 15_000
const OUTCOMES = ['yes', 'no'] as const

export default class Order extends BaseCommand {
  static override summary = 'one order by hand, through exec'
  static override description =
    "Gives exec a plan of one leg: immediate or cancel, held to the same halt, limits and ledger as a shard's, except the edge and the age of quotes, which are yours to judge. A sale takes what exec has bought there itself, never more. Shows what would be sent, asks, and waits for the outcome. The keys of the venues are exec's: this command has none and asks for none (arbees exec --help says where they come from). Where signals are sealed, as in prod, it reads signals.hmac in keys_dir, as a shard does. However often it is asked, exec sends an order once. Exits 7 when it was denied or not confirmed, 1 when the venue rejected it or the outcome is unknown, 5 when there is none in time, 3 when no exec answers."
  static override examples = [
    {
      description: 'ten contracts of YES at 57 cents or less',
      command:
        '<%= config.bin %> <%= command.id %> kalshi KXNBAGAME-26JAN15MIABOS-BOS --buy yes --limit 0.57 --size 10',
    },
    {
      description: 'sell them again, without being asked (simulator and paper only)',
      command:
        '<%= config.bin %> <%= command.id %> kalshi KXNBAGAME-26JAN15MIABOS-BOS --sell yes --limit 0.55 --size 10 --yes',
    },
    {
      description: 'one object, for a program',
      command:
        '<%= config.bin %> <%= command.id %> polymarket 0xf9186d5c95b2eb7fb7cbf5e49b4de1e83f1d7bdb2f1c9f9a5e6a7d2a14f0a6a1 --buy no --limit 0.4 --size 5 --yes --json',
    },
  ]
  static override args = {
    venue: Args.string({ description: 'where', options: ['kalshi', 'polymarket'], required: true }),
    market: Args.string({
      description: 'Kalshi market ticker, or Polymarket condition id',
      required: true,
    }),
  }
  static override flags = {
    buy: Flags.option({ summary: 'buy this outcome', options: OUTCOMES, exactlyOne: ['buy', 'sell'] })(),
    sell: Flags.option({ summary: 'sell this outcome, as much as exec holds at most', options: OUTCOMES })(),
    limit: Flags.string({
      summary: 'worst price of the outcome, dollars',
      helpValue: '<price>',
      required: true,
    }),
    size: Flags.string({ summary: 'contracts', helpValue: '<contracts>', required: true }),
    yes: Flags.boolean({ summary: 'do not ask; not heeded for real money', default: false }),
    timeout: durationFlag({ summary: 'wait so long for the outcome; 15s when not given' }),
    env: envFlag,
  }

  async run(): Promise<OrderReport> {
    const { args, flags } = await this.parse(Order)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env },
      { live: true },
    )
    const { openOrderDesk } = await import('../lib/operator/order.js')
    const { confirmationOf, confirm } = await import('../lib/operator/order-confirm.js')
    const { renderOrder, renderPlan } = await import('../lib/operator/order-view.js')
    const { stdin, stdout, stderr } = process
    const desk = openOrderDesk(settings, systemClock)
    try {
      const plan = await desk.plan({
        venue: args.venue === 'polymarket' ? 'poly' : 'kalshi',
        ...{ market_id: args.market, limit: numberOf('--limit', flags.limit) },
        ...{ size: numberOf('--size', flags.size), outcome: flags.buy ?? flags.sell ?? 'yes' },
        side: flags.buy === undefined ? 'sell' : 'buy',
      })
      const isTerminal = stdin.isTTY && stderr.isTTY
      if (stderr.isTTY) stderr.write(`${renderPlan(plan, { color: this.colorsOn(stderr) })}\n`)
      const confirmation = confirmationOf(plan, { yes: flags.yes, isTerminal })
      if (confirmation !== undefined) await confirm(confirmation)
      const report = await desk.send(plan, flags.timeout ?? TIMEOUT_MS, (id) =>
        stderr.write(`given to exec as ${id}\n`),
      )
      const options = { width: this.width, color: this.colors }
      this.log(stdout.isTTY ? renderOrder(report, options) : JSON.stringify(report))
      if (report.hint !== null) stderr.write(`${report.hint}\n`)
      process.exitCode = report.reason === 'NOT_READY' ? EXIT.UNHEALTHY : EXIT_OF[report.result]
      return report
    } finally {
      desk.close()
    }
  }
}

/** Throws `USAGE` for what is no plain decimal. */
function numberOf(flag: string, text: string): number {
  if (/^\d{0,9}(\.\d{1,9})?$/.test(text) && text !== '') return Number(text)
  throw new ArbeesError('USAGE', `${flag} takes a plain decimal number, not '${text}'`, { exit: EXIT.USAGE })
}
