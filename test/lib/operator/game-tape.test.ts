import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/lib/messages/codec.js'
import type { GamesPayload, PricesPayload } from '../../../src/lib/messages/payloads.js'
import { GameTape } from '../../../src/lib/operator/game-tape.js'
import * as samples from '../messages/samples.js'

const { start_ms: START, game_id: ID } = samples.games

/** What counts as the price before the game, where the home team's middle goes from 0.6 to 0.9 between two states. */
function priorAfter(first: [GamesPayload['status'], number], second: [GamesPayload['status'], number]) {
  const tape = new GameTape()
  const say = ([status, atMs]: [GamesPayload['status'], number], middle: number) => {
    const price: PricesPayload = { ...samples.prices, yes_bid: middle - 0.01, yes_ask: middle + 0.01 }
    tape.apply({ family: 'prices', payload: price } as Message, atMs)
    tape.apply({ family: 'games', payload: { ...samples.games, status } } as Message, atMs)
  }
  say(first, 0.6)
  say(second, 0.9)
  return tape.view(ID)?.prior
}

describe('what the market said before a game', () => {
  it.each<[string, GamesPayload['status'], number, number]>([
    ['goes on to change until the start', 'pre', START, 0.9],
    ['stands when the game begins before its time', 'live', START - 1, 0.6],
    ['stands after its time, though nobody says that it began', 'pre', START + 1, 0.6],
  ])('%s', (_, status, atMs, prior) => {
    expect(priorAfter(['pre', START - 60_000], [status, atMs])).toBeCloseTo(prior, 9)
  })
})
