import { Flags } from '@oclif/core'
import { BaseCommand } from '../lib/cli/base-command.js'
import { envFlag, instantFlag, redisUrlFlag } from '../lib/cli/flags.js'
import { systemClock } from '../lib/core/clock.js'
import { EXIT } from '../lib/core/errors.js'
import type { GamesScore } from '../lib/operator/games-score.js'
import type { GamesReport } from '../lib/operator/games.js'

export default class Games extends BaseCommand {
  static override summary = 'the games, what both markets give the home team, and what a model says'
  static override description =
    'Score, clock, status and shard of each game of the running deployment; YES on the home team at both venues (bid/ask); the chances of the home team by the model, with one standard deviation or the reason why it abstains, by ESPN, and by the market before the game. Nothing is traded by any of them. With --score: how good each was over games that have ended (Brier score, log loss, calibration), from Redis, journals or a recording. Exits 3 when no orchestrator answers, 5 when there is no game.'
  static override examples = [
    { description: 'all games', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'one league, as JSON',
      command: '<%= config.bin %> <%= command.id %> --league nba --json',
    },
    {
      description: 'how good the forecasts of the last day were, from the journals',
      command: '<%= config.bin %> <%= command.id %> --score --from-journal --since 24h',
    },
    {
      description: 'the same of a recording',
      command: '<%= config.bin %> <%= command.id %> --score --from-file /var/lib/arbees/tape',
    },
  ]
  static override flags = {
    league: Flags.string({ summary: 'one league', helpValue: 'nba' }),
    score: Flags.boolean({ summary: 'how good forecasts were instead; from Redis unless said otherwise' }),
    'from-journal': Flags.boolean({
      summary: "what the publishers' journals hold",
      dependsOn: ['score'],
      exclusive: ['from-file'],
    }),
    'from-file': Flags.string({
      summary: 'a folder of arbees record, or a file of replay --to-file',
      helpValue: '<path>',
      dependsOn: ['score'],
    }),
    since: instantFlag({
      summary: 'not older: how long ago, a time (UTC), or Unix ms',
      dependsOn: ['score'],
    }),
    until: instantFlag({ summary: 'not younger', dependsOn: ['score'] }),
    env: envFlag,
    'redis-url': redisUrlFlag,
  }

  async run(): Promise<GamesReport | GamesScore> {
    const { flags } = await this.parse(Games)
    const loaded = this.loadSettings(
      { config: flags.config, data_dir: flags['data-dir'], env: flags.env, redis_url: flags['redis-url'] },
      { live: true },
    )
    const { knownLeague } = await import('../lib/operator/games.js')
    const league = knownLeague(flags.league)
    const talk = (line: string) => void process.stderr.write(`${line}\n`)
    const { stdout } = process
    const table = { width: this.width, color: this.colors }
    const { renderGames, renderGamesScore } = await import('../lib/operator/games-view.js')
    if (flags.score) {
      const { scoreGames } = await import('../lib/operator/run-games-score.js')
      const file = flags['from-file']
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
      const score = await scoreGames({
        loaded,
        from: flags['from-journal'] ? 'journal' : file === undefined ? 'redis' : 'file',
        file,
        ...{ league, sinceMs: flags.since, untilMs: flags.until, talk, signal: stop.signal },
      })
      if (score.games === 0) process.exitCode = EXIT.TIMEOUT
      this.log(stdout.isTTY ? renderGamesScore(score, table) : JSON.stringify(score))
      return score
    }
    const { lookAtGames } = await import('../lib/operator/games.js')
    const { operatorKeys } = await import('../lib/operator/operator-keys.js')
    const keys = operatorKeys(loaded.settings, ({ publisher, problem, hint }) =>
      talk(`${publisher}: ${problem}\n  ${hint}`),
    )
    const report = await lookAtGames({ settings: loaded.settings, clock: systemClock, keys, league })
    if (report.games.length === 0) process.exitCode = EXIT.TIMEOUT
    this.log(stdout.isTTY ? renderGames(report, table) : JSON.stringify(report))
    return report
  }
}
