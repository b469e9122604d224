import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, redisUrlFlag } from '../lib/cli/flags.js'
import type { Explanation } from '../lib/operator/explain.js'

export default class Explain extends BaseCommand {
  static override summary = 'why a signal was decided, and what became of it'
  static override description =
    'From what was published: the quotes that it names with their ages, the game, the edge computed again from its books and fees, each check with its numbers, each order and its money, and how long each step took. Also for a signal that exec denied or let expire. Looks in Redis, then in the journals of the data dir. Exits 5 when nothing has that id.'
  static override examples = [
    {
      description: 'a signal, an order or a trade, by its id or the first 8 characters of it',
      command: '<%= config.bin %> <%= command.id %> 49cbd3682177e540',
    },
    {
      description: 'by its trace: the quote that triggered it',
      command: '<%= config.bin %> <%= command.id %> kalshi.prices/1769500000123/42',
    },
    {
      description: 'from journals that were copied here',
      command: '<%= config.bin %> <%= command.id %> 49cbd3682177e540 --from-journal ./journal/prod',
    },
  ]
  static override args = {
    id: Args.string({
      description: "id of a signal, an order, a venue's order or trade, or a trace",
      required: true,
    }),
  }
  static override flags = {
    'from-journal': Flags.string({
      summary: 'look there alone: the folder of journals of an env',
      helpValue: '<dir>',
    }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<{ readonly explanation: Explanation }> {
    const { args, flags } = await this.parse(Explain)
    const { settings } = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { openArchives } = await import('../lib/operator/explain-archive.js')
    const { explain } = await import('../lib/operator/explain.js')
    const { renderExplanation } = await import('../lib/operator/explain-view.js')
    const talk = (line: string) => void process.stderr.write(`${line}\n`)
    const archives = await openArchives(settings, flags['from-journal'], talk)
    try {
      const explanation = await explain(archives, args.id, settings)
      const { stdout } = process
      if (stdout.isTTY) this.log(renderExplanation(explanation, { width: this.width, color: this.colors }))
      else this.log(JSON.stringify({ explanation }))
      return { explanation }
    } finally {
      for (const archive of archives) archive.close()
    }
  }
}
