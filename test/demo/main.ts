/**
 * `npm run demo`: plays the README's scenes against a real `arbees up` in a real terminal (tmux) and draws what stood
 * on the screen into docs/demo.svg. Fails when a scene does not show what it is about.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArbeesError, EXIT } from '../../src/lib/core/errors.js'
import { drawFilm } from './terminal-picture.js'
import type { Frame } from './terminal-picture.js'

const COLUMNS = 110
const ROWS = 32
const SERVER = `arbees-demo-${process.pid}`
const BINARY = resolve('bin', 'run.js')
const FILM = resolve('docs', 'demo.svg')

interface Scene {
  readonly command: string
  /** What must come to stand on the screen. */
  readonly shows: RegExp
  /** Screens taken from then on, a second apart; one when not said. */
  readonly frames?: number
  /** How long each is shown. */
  readonly holdMs: number
  readonly quit?: string
}

const SCENES: readonly Scene[] = [
  { command: 'arbees tap prices.kalshi. orders. trades. -n 18', shows: /18 messages/, holdMs: 4_000 },
  { command: 'arbees top', shows: /tick to order/, frames: 5, holdMs: 1_200, quit: 'q' },
  { command: 'arbees latency --for 4s', shows: /tick_to_order/, holdMs: 6_000 },
  { command: 'arbees explain $TRADE', shows: /order/, holdMs: 7_000 },
  { command: 'arbees halt --reason "show how"', shows: /halted/i, holdMs: 4_000 },
  { command: 'arbees resume --reason "shown"', shows: /goes on/, holdMs: 3_000 },
]

const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-L', SERVER, ...args], { encoding: 'utf8' })
const screen = (pane: string): string => tmux('capture-pane', '-t', pane, '-e', '-p').replace(/\n+$/, '')
const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '')

/** Waits until a pattern stands on a screen, its line of input aside. */
async function until(pane: string, pattern: RegExp): Promise<void> {
  const giveUpAt = Date.now() + 60_000
  const shown = () => plain(screen(pane)).split('\n').slice(1).join('\n')
  while (!pattern.test(shown())) {
    if (Date.now() > giveUpAt) throw new Error(`no ${String(pattern)} within a minute, but:\n${shown()}`)
    await sleep(100)
  }
}

function open(pane: string, cwd: string): void {
  const shell = `NO_COLOR= ; unset NO_COLOR; PS1='\\[\\e[32m\\]$\\[\\e[0m\\] '; arbees() { ${process.execPath} ${BINARY} "$@"; }; clear`
  tmux('new-session', '-d', '-s', pane, '-x', String(COLUMNS), '-y', String(ROWS), '-c', cwd, 'bash --norc')
  tmux('send-keys', '-t', pane, shell, 'Enter')
}

async function play(
  pane: string,
  { command, shows, frames = 1, holdMs, quit }: Scene,
  trade: string,
): Promise<Frame[]> {
  tmux('send-keys', '-t', pane, 'clear', 'Enter')
  await sleep(300)
  tmux('send-keys', '-t', pane, '-l', command.replace('$TRADE', trade))
  await sleep(100)
  const film = [{ text: screen(pane), holdMs: 900 }]
  tmux('send-keys', '-t', pane, 'Enter')
  await until(pane, shows)
  if (quit === undefined) await until(pane, /\n\$ *$/)
  for (let frame = 0; frame < frames; frame++) {
    await sleep(1_000)
    film.push({ text: screen(pane), holdMs })
  }
  if (quit !== undefined) tmux('send-keys', '-t', pane, quit)
  await sleep(500)
  return film
}

try {
  tmux('-V')
} catch (error) {
  throw new ArbeesError('NO_TMUX', 'the demo needs tmux', {
    exit: EXIT.UNREACHABLE,
    hint: 'apt-get install tmux',
    cause: error,
  })
}
const folder = mkdtempSync(join(tmpdir(), 'arbees-demo-'))
try {
  open('up', folder)
  tmux('send-keys', '-t', 'up', 'clear; arbees up', 'Enter')
  await until('up', /[1-9]\d* fills/)
  await sleep(5_000)
  const film = [{ text: `$ arbees up\n${screen('up')}`, holdMs: 5_000 }]
  const json = execFileSync(
    process.execPath,
    [BINARY, 'tap', 'trades.', '-n', '1', '--last', '1', '--json'],
    { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const trade = (
    JSON.parse(json.split('\n')[0] ?? '') as { payload: { order_id: string } }
  ).payload.order_id.slice(0, 12)
  open('desk', folder)
  for (const scene of SCENES) film.push(...(await play('desk', scene, trade)))
  tmux('send-keys', '-t', 'up', 'C-c')
  await until('up', /stopped/)
  writeFileSync(FILM, drawFilm(film, { columns: COLUMNS, rows: ROWS }))
  process.stderr.write(`${film.length} frames in ${FILM}\n`)
} finally {
  tmux('kill-server')
  rmSync(folder, { recursive: true, force: true })
}
