/** A session at a clock of its own, spoken to in wire text, and frames to say. */

import type { ClientCommand } from '../../../../src/lib/venues/kalshi/commands.js'
import { parseFrame } from '../../../../src/lib/venues/kalshi/frames.js'
import { BookSession } from '../../../../src/lib/venues/kalshi/session.js'
import type { SessionEffect } from '../../../../src/lib/venues/kalshi/session-effects.js'

const OPTIONS = {
  useYesPrice: true,
  snapshotTimeoutMs: 2000,
  quietMs: 5000,
  silenceAnswerMs: 2000,
  commandTimeoutMs: 5000,
}

export class Line {
  readonly session = new BookSession(OPTIONS)
  nowUs = 1_000_000
  effects: SessionEffect[] = []
  /** `A LIVE 4700/5200`, one per book effect. */
  books: string[] = []

  follow(...tickers: string[]): this {
    return this.take([() => this.session.follow(tickers, this.nowUs)])
  }

  read(...frames: object[]): this {
    return this.take(frames.map((frame) => () => this.onText(JSON.stringify(frame))))
  }

  readText(text: string): this {
    return this.take([() => this.onText(text)])
  }

  wait(ms: number): this {
    this.nowUs += ms * 1000
    return this.take([() => this.session.onTime(this.nowUs)])
  }

  private onText(text: string): SessionEffect[] {
    return this.session.onFrame(parseFrame(text), this.nowUs)
  }

  /** The tops are read after each input: the session goes on changing its books. */
  private take(inputs: readonly (() => SessionEffect[])[]): this {
    this.effects = []
    this.books = []
    for (const input of inputs) {
      const effects = input()
      this.effects.push(...effects)
      this.books.push(...effects.flatMap(topOf))
    }
    return this
  }

  get sent(): ClientCommand[] {
    return this.effects.flatMap((effect) => (effect.kind === 'send' ? [effect.command] : []))
  }

  /** `skipped old_sid`, one per verdict. */
  get verdicts(): string[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind !== 'verdict') return []
      const { verdict } = effect
      return [`${verdict.kind} ${verdict.kind === 'refused' ? verdict.reason : verdict.name}`]
    })
  }

  get kinds(): string[] {
    return this.effects.map(({ kind }) => kind)
  }
}

function topOf(effect: SessionEffect): string[] {
  if (effect.kind !== 'book') return []
  const [bid, ask] = [effect.book.best('bid')?.[0], effect.book.best('ask')?.[0]]
  return [`${effect.ticker} ${effect.state} ${bid ?? '-'}/${ask ?? '-'}`]
}

export const subscribed = (id: number, sid: number) => ({
  type: 'subscribed',
  id,
  msg: { channel: 'orderbook_delta', sid },
})
export const snapshot = (sid: number, seq: number, ticker: string, yes = '0.4700', no = '0.5200') => ({
  type: 'orderbook_snapshot',
  sid,
  seq,
  msg: { market_ticker: ticker, yes_dollars_fp: [[yes, '3.00']], no_dollars_fp: [[no, '2.00']] },
})
export const delta = (
  sid: number,
  seq: number,
  ticker: string,
  price = '0.4600',
  by = '1.00',
  side = 'yes',
) => ({
  type: 'orderbook_delta',
  sid,
  seq,
  msg: { market_ticker: ticker, price_dollars: price, delta_fp: by, side },
})
export const ok = (id: number, sid: number, seq: number, tickers: string[]) => ({
  type: 'ok',
  id,
  sid,
  seq,
  msg: { market_tickers: tickers },
})
export const error = (code: number, more: object = {}) => ({
  type: 'error',
  ...more,
  msg: { code, msg: 'no' },
})

/** Subscribed as sid 1 with both books LIVE; the last seq read is 2. */
export const live = () =>
  new Line().follow('A', 'B').read(subscribed(1, 1), snapshot(1, 1, 'A'), snapshot(1, 2, 'B'))
