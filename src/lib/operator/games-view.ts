/** Games and scores of forecasts for people. */

import { SECOND_SOURCE } from '../model/game.js'
import { createPalette } from '../view/palette.js'
import { renderTable } from '../view/table.js'
import type { Column, TableOptions } from '../view/table.js'
import { formatAge, plural } from '../view/units.js'
import type { ForecasterScore, GamesScore } from './games-score.js'
import type { HomeQuote } from './game-tape.js'
import type { GameRow, GamesReport } from './games.js'

/** Lines without a newline at the end. */
export function renderGames({ games, silent, env }: GamesReport, options: TableOptions): string {
  const palette = createPalette(options.color)
  const live = games.filter(({ status }) => status === 'live').length
  return [
    ...(games.length === 0 ? [] : [renderTable(games, COLUMNS, options), '']),
    `${plural(games.length, 'game')} of ${env}, ${live} live; prices and chances are of the home team`,
    ...(silent.length === 0 ? [] : [palette.warn(`no answer: ${silent.join(', ')}`)]),
  ].join('\n')
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`
const quote = (home: HomeQuote | null): string =>
  home === null ? '-' : `${home.bid?.toFixed(3) ?? '-'}/${home.ask?.toFixed(3) ?? '-'}`
const clock = ({ status, period, clock_s: clockS }: GameRow): string => {
  if (status !== 'live') return ''
  if (clockS === null) return `P${period}`
  return `P${period} ${Math.floor(clockS / 60)}:${String(Math.floor(clockS % 60)).padStart(2, '0')}`
}

const COLUMNS: readonly Column<GameRow>[] = [
  { title: 'game', value: ({ league, away, home }) => `${league} ${away} at ${home}`, minWidth: 14 },
  {
    title: 'score',
    value: ({ status, away_score: away, home_score: home }) => (status === 'pre' ? '' : `${away}-${home}`),
    align: 'right',
  },
  { title: 'clock', value: clock },
  {
    title: 'status',
    value: ({ status, provider }) => (provider === SECOND_SOURCE ? `${status} (${provider})` : status),
    tone: ({ status }) => (status === 'live' ? 'good' : status === 'pre' ? 'plain' : 'dim'),
  },
  { title: 'kalshi', value: ({ kalshi }) => quote(kalshi), align: 'right' },
  { title: 'polymarket', value: ({ polymarket }) => quote(polymarket), align: 'right' },
  {
    title: 'model',
    value: ({ model, abstains }) =>
      model === null ? `(${abstains ?? ''})` : `${percent(model.home)} ± ${percent(model.sd)}`,
    tone: ({ model }) => (model === null ? 'dim' : 'plain'),
    align: 'right',
  },
  { title: 'espn', value: ({ espn }) => (espn === null ? '-' : percent(espn)), align: 'right' },
  {
    title: 'before',
    value: ({ prior }) => (prior === null ? '-' : percent(prior)),
    align: 'right',
    dropOrder: 1,
  },
  { title: 'shard', value: ({ shard }) => String(shard), align: 'right', dropOrder: 2 },
  { title: 'read', value: ({ age_ms: ms }) => formatAge(ms), align: 'right', dropOrder: 3 },
]

/** Lines without a newline at the end. */
export function renderGamesScore(
  { games, without_result: without, forecasters, abstentions }: GamesScore,
  options: TableOptions,
): string {
  const bins = forecasters.flatMap(({ name, score }) => (score?.bins ?? []).map((bin) => ({ name, ...bin })))
  const why = Object.entries(abstentions)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')
  return [
    renderTable(forecasters, SCORES, options),
    '',
    ...(bins.length === 0 ? [] : [renderTable(bins, BINS, options), '']),
    `${plural(games, 'game')} with a result, ${without} without; a sample every 15 s of play`,
    `samples of a game are not independent: count games, not samples`,
    ...(why === '' ? [] : [`the model abstained: ${why}`]),
  ].join('\n')
}

const SCORES: readonly Column<ForecasterScore>[] = [
  { title: 'who', value: ({ name }) => name },
  { title: 'games', value: ({ games }) => String(games), align: 'right' },
  { title: 'samples', value: ({ score }) => String(score?.count ?? 0), align: 'right' },
  { title: 'brier', value: ({ score }) => score?.brier.toFixed(4) ?? '-', align: 'right' },
  { title: 'log loss', value: ({ score }) => score?.logLoss.toFixed(4) ?? '-', align: 'right' },
]

interface BinRow {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly count: number
  readonly forecast: number
  readonly observed: number
}

const BINS: readonly Column<BinRow>[] = [
  { title: 'who', value: ({ name }) => name },
  { title: 'said', value: ({ from, to }) => `${from * 100}-${to * 100}%`, align: 'right' },
  { title: 'samples', value: ({ count }) => String(count), align: 'right' },
  { title: 'mean', value: ({ forecast }) => percent(forecast), align: 'right' },
  { title: 'came true', value: ({ observed }) => percent(observed), align: 'right' },
]
