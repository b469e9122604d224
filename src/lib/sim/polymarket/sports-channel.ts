/**
 * The simulated sports channel: every game of the scenario to whoever connects, without a subscription, in the forms
 * that were recorded. It trails play by less than the scoreboard does.
 *
 * It pings with the text `ping` every 5 s, and hangs up on a client that has not answered `pong` after 10.
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Exchange } from '../exchange.js'
import type { ScoresFault } from '../faults.js'
import { viewGame, type GameView, type SimGame } from '../market.js'
import { LEAGUE_FACTS } from '../teams.js'

export const SPORTS_WS_PATH = '/ws/sports'

/** The channel trails play by this much scenario time. */
const VIEW_LAG_MS = 2000
/** With the fault `late`. */
const LATE_LAG_MS = 60_000
const LOOK_EVERY_MS = 250
/** Real time. */
const PING_EVERY_US = 5_000_000
const PONG_TIMEOUT_US = 10_000_000
const MAX_COMMAND_BYTES = 1024

interface Client {
  pingedUs: number
  pongUs: number
}

export class SportsChannel {
  private readonly server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_COMMAND_BYTES,
  })
  private readonly clients = new Map<WebSocket, Client>()
  /** What was told last of each game that is not over. */
  private readonly told = new Map<SimGame, string>()
  private readonly over = new Set<SimGame>()
  private readonly wrongs = new Map<ScoresFault, number>()
  private nextLookMs = 0

  constructor(private readonly exchange: Exchange) {}

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, socket, head, (client) => {
      const nowUs = this.exchange.clock.monoUs()
      this.clients.set(client, { pingedUs: nowUs, pongUs: nowUs })
      client.on('message', (data: Buffer) => {
        const known = this.clients.get(client)
        if (known !== undefined && data.toString() === 'pong') known.pongUs = this.exchange.clock.monoUs()
      })
      client.on('error', () => undefined)
      client.on('close', () => this.clients.delete(client))
      // What goes on now is told to the newcomer at once.
      for (const text of this.told.values()) client.send(text)
    })
  }

  /** Tells what is new at a scenario time, and minds the clients. */
  step(scenarioMs: number): void {
    this.keepAlive()
    if (scenarioMs < this.nextLookMs || this.has('silent')) return
    this.nextLookMs = scenarioMs + LOOK_EVERY_MS
    const atMs = Math.max(0, scenarioMs - (this.has('late') ? LATE_LAG_MS : VIEW_LAG_MS))
    for (const game of this.exchange.games) {
      if (this.over.has(game)) continue
      const view = viewGame(game, atMs)
      if (view.status === 'pre') continue
      const text = this.textOf(game, view)
      // The clock alone is no news.
      if (newsOf(text) !== newsOf(this.told.get(game)))
        for (const client of this.clients.keys()) client.send(text)
      this.told.set(game, text)
      if (view.status !== 'final') continue
      this.over.add(game)
      this.told.delete(game)
    }
  }

  /** Begins a fault; returns what ends it. */
  misbehave(fault: ScoresFault): () => void {
    this.wrongs.set(fault, (this.wrongs.get(fault) ?? 0) + 1)
    return () => this.wrongs.set(fault, (this.wrongs.get(fault) ?? 1) - 1)
  }

  close(): void {
    for (const client of this.clients.keys()) client.terminate()
    this.server.close()
  }

  private has(fault: ScoresFault): boolean {
    return (this.wrongs.get(fault) ?? 0) > 0
  }

  private keepAlive(): void {
    const nowUs = this.exchange.clock.monoUs()
    for (const [socket, client] of this.clients) {
      if (client.pongUs < client.pingedUs && nowUs - client.pingedUs >= PONG_TIMEOUT_US) socket.terminate()
      if (nowUs - client.pingedUs < PING_EVERY_US || client.pongUs < client.pingedUs || this.has('silent'))
        continue
      client.pingedUs = nowUs
      socket.send('ping')
    }
  }

  private textOf(game: SimGame, view: GameView): string {
    const isFinal = view.status === 'final' || this.has('final')
    const elapsedS = Math.floor(LEAGUE_FACTS[game.league].periodSeconds - view.clockS)
    const short = {
      slug: game.poly.slug,
      live: !isFinal,
      ended: isFinal,
      score: `${view.away}-${view.home}`,
      period: isFinal ? 'FT' : `${game.league === 'nhl' ? 'P' : 'Q'}${view.period}`,
      elapsed: `${Math.floor(elapsedS / 60)}:${String(elapsedS % 60).padStart(2, '0')}`,
    }
    const nowText = new Date(this.exchange.clock.nowMs()).toISOString()
    if (game.league === 'nhl') return JSON.stringify({ ...short, last_update: nowText })
    const full = {
      gameId: Number(game.gameId),
      leagueAbbreviation: game.league,
      homeTeam: game.home.poly.toUpperCase(),
      awayTeam: game.away.poly.toUpperCase(),
      status: isFinal ? 'Final' : 'InProgress',
      ...short,
      ...(game.league === 'nfl' && !isFinal && { turn: game.home.poly }),
      ...(isFinal && { finished_timestamp: nowText }),
    }
    return JSON.stringify(game.league === 'nba' ? { type: 'sport_result', payload: full } : full)
  }
}

const newsOf = (text: string | undefined): string | undefined =>
  text?.replace(/"(elapsed|last_update|finished_timestamp)":"[^"]*"/g, '')
