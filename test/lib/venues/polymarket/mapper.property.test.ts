/**
 * Random walks of a venue book over a line that drops, repeats, swaps, spoils and cuts. Whatever happens, a book published LIVE
 * equals the venue's as of the newest message that arrived (or the REST book that proved it).
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Harness } from './harness.js'
import {
  asLevels,
  copySides,
  ReferenceVenue,
  type BookFrame,
  type ChangeFrame,
  type RefSide,
  type Sides,
} from './reference-venue.js'

type Fate = 'deliver' | 'drop' | 'repeat' | 'repeat later' | 'swap' | Spoil

/** What a frame is spoiled into on the line: it arrives, and cannot be used. */
const SPOILS = {
  'bad side': (frame: ChangeFrame) => spoiledEntry(frame, 0, { side: 7 }),
  'bad second entry': (frame: ChangeFrame) => spoiledEntry(frame, 1, { price: '2' }),
  'foreign token': (frame: ChangeFrame) => spoiledEntry(frame, 1, { asset_id: '999' }),
  'no market': (frame: ChangeFrame) => JSON.stringify({ ...frame, market: undefined }),
  'no timestamp': (frame: ChangeFrame) => JSON.stringify({ ...frame, timestamp: '' }),
  'half a frame': (frame: ChangeFrame) => JSON.stringify(frame).slice(0, -9),
  'nothing legible': () => '[[]]',
}
type Spoil = keyof typeof SPOILS

function spoiledEntry(frame: ChangeFrame, index: number, field: object): string {
  const price_changes = frame.price_changes.map((entry, at) =>
    at === index ? { ...entry, ...field } : entry,
  )
  return JSON.stringify({ ...frame, price_changes })
}

const isSpoil = (fate: Fate): fate is Spoil => fate in SPOILS

type Step =
  | { kind: 'change'; side: RefSide; e4: number; size: string; fate: Fate; sameMs: boolean }
  | { kind: 'trade'; side: RefSide; size: string; order: 'trade first' | 'book first'; dropBook: boolean }
  | { kind: 'reconnect' }
  | { kind: 'rest' }
  | { kind: 'wait'; ms: number }

const size = fc.constantFrom('0', '0', '0.001', '1', '5.5', '20', '300.25')
const side = fc.constantFrom<RefSide>('bids', 'asks')
const change = fc
  .record({
    side,
    distance: fc.integer({ min: 0, max: 5 }),
    size,
    fate: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Fate>('deliver') },
      { weight: 3, arbitrary: fc.constantFrom<Fate>('drop', 'repeat', 'repeat later', 'swap') },
      { weight: 2, arbitrary: fc.constantFrom(...(Object.keys(SPOILS) as Spoil[])) },
    ),
    sameMs: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  .map(({ distance, ...rest }): Step => {
    const e4 = rest.side === 'bids' ? 4900 - distance * 100 : 5000 + distance * 100
    return { kind: 'change', e4, ...rest }
  })
const trade = fc
  .record({
    side,
    size: fc.constantFrom('0', '0.5', '2'),
    order: fc.constantFrom('trade first' as const, 'book first' as const),
    dropBook: fc.boolean(),
  })
  .map((rest): Step => ({ kind: 'trade', ...rest }))
const step = fc.oneof(
  { weight: 14, arbitrary: change },
  { weight: 2, arbitrary: trade },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reconnect' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'rest' }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 4000 }).map((ms): Step => ({ kind: 'wait', ms })) },
)

/** How a dump that was asked for comes: at once, or made now and delivered behind the next message. */
const steps = fc.array(fc.tuple(step, fc.constantFrom('now' as const, 'behind' as const)), {
  minLength: 5,
  maxLength: 60,
})

interface Frame {
  readonly body: ChangeFrame | BookFrame
  readonly version: number
  readonly sides: Sides
}

class Line {
  readonly venue = new ReferenceVenue()
  readonly harness = new Harness()
  wrongLive = 0
  liveChecks = 0
  spoiled = 0
  /** A book that was LIVE, or EMPTY, right after a frame of its own could not be used. */
  liveSpoiled = 0
  private version = 0
  private newest: { version: number; sides: Sides } | undefined
  private restSides: Sides | undefined
  private held: (Frame & { readonly swapped: boolean })[] = []
  private answered = 0

  constructor(private readonly hideHash: boolean) {
    this.venue.put('bids', 4900, '10')
    this.venue.put('asks', 5000, '10')
    this.connect()
  }

  run(all: readonly (readonly [Step, 'now' | 'behind'])[]): this {
    for (const [one, dumps] of all) {
      this.apply(one)
      this.answerResync(dumps)
    }
    return this
  }

  private apply(one: Step): void {
    switch (one.kind) {
      case 'change':
        return this.change(one)
      case 'trade':
        return this.trade(one)
      case 'reconnect':
        this.harness.disconnect()
        this.held = []
        return this.connect()
      case 'rest':
        this.harness.rest(this.venue.rest())
        this.restSides = copySides(this.venue.sides)
        return this.check()
      case 'wait':
        this.harness.tick(one.ms)
        return this.check()
    }
  }

  private connect(): void {
    this.newest = undefined
    this.restSides = undefined
    this.harness.connect()
    this.answered = this.harness.resyncs
    this.deliver(this.frame(this.venue.dump()))
    this.deliver(this.frame(this.venue.dump(true)))
  }

  private change({ side, e4, size, fate, sameMs }: Extract<Step, { kind: 'change' }>): void {
    // Two messages of one millisecond that come swapped look like two that were sent so: no content tells them
    // apart, the socket's own order does. Repeats within a millisecond are told apart, and are walked.
    if (sameMs && !this.held.some(({ swapped }) => swapped)) this.venue.now -= 1
    this.version += 1
    const frame = this.frame(this.venue.change(side, e4, size))
    if (fate === 'drop') return
    if (isSpoil(fate)) return this.spoil(frame, SPOILS[fate](frame.body as ChangeFrame))
    if (fate === 'swap' || fate === 'repeat later') this.held.push({ ...frame, swapped: fate === 'swap' })
    if (fate !== 'swap') this.deliver(frame)
    if (fate === 'repeat') this.deliver(frame)
    if (fate === 'deliver') for (const late of this.held.splice(0)) this.deliver(late)
  }

  private trade({ side, size, order, dropBook }: Extract<Step, { kind: 'trade' }>): void {
    if (this.venue.sides[side].size === 0) return
    this.version += 1
    const trade = this.venue.trade(side, size)
    const books = dropBook ? [] : [this.frame(this.venue.bare()), this.frame(this.venue.bare(true))]
    if (order === 'trade first') this.harness.frame(trade)
    for (const book of books) this.deliver(book)
    if (order === 'book first') this.harness.frame(trade)
    this.check()
  }

  private answerResync(how: 'now' | 'behind'): void {
    if (this.harness.resyncs === this.answered) return
    this.answered = this.harness.resyncs
    const dump = this.frame(this.venue.dump())
    if (how === 'now') this.deliver(dump)
    else this.held.push({ ...dump, swapped: true })
  }

  private frame(body: ChangeFrame | BookFrame): Frame {
    return { body, version: this.version, sides: copySides(this.venue.sides) }
  }

  private deliver({ body, version, sides }: Frame): void {
    if (this.newest === undefined || version >= this.newest.version) {
      this.newest = { version, sides }
      this.restSides = undefined
    }
    this.harness.frame(this.hideHash ? this.forged(body) : body)
    this.check()
  }

  private spoil({ version, sides }: Frame, text: string): void {
    this.newest = { version, sides }
    this.restSides = undefined
    this.spoiled += 1
    this.harness.text(text)
    if (!['BROKEN', 'STALE', undefined].includes(this.harness.state)) this.liveSpoiled += 1
    this.check()
  }

  /** The control: every hash and best price is rewritten to what the receiver's own book would give. */
  private forged(body: ChangeFrame | BookFrame): ChangeFrame | BookFrame {
    if (body.event_type !== 'price_change') return body
    const naive = new ReferenceVenue()
    for (const [e4, e2] of this.harness.levels.bids) naive.put('bids', e4, String(e2 / 100))
    for (const [e4, e2] of this.harness.levels.asks) naive.put('asks', e4, String(e2 / 100))
    naive.now = Number(body.timestamp) - 1
    naive.lastTrade = this.venue.lastTrade
    const [yes] = body.price_changes
    return naive.change(
      yes!.side === 'BUY' ? 'bids' : 'asks',
      Math.round(Number(yes!.price) * 10_000),
      yes!.size,
    )
  }

  private check(): void {
    const { state, levels } = this.harness
    if (state !== 'LIVE' && state !== 'EMPTY') return
    this.liveChecks += 1
    const truths = [this.newest?.sides, this.restSides].filter((sides) => sides !== undefined).map(asLevels)
    const shown = JSON.stringify(levels)
    if (!truths.some((truth) => JSON.stringify(truth) === shown)) this.wrongLive += 1
  }
}

describe('a LIVE Polymarket book', () => {
  it('is never wrong, whatever the line loses, repeats, swaps or spoils', () => {
    let liveChecks = 0
    let spoiled = 0
    fc.assert(
      fc.property(steps, (all) => {
        const line = new Line(false).run(all)
        liveChecks += line.liveChecks
        spoiled += line.spoiled
        expect([line.wrongLive, line.liveSpoiled]).toEqual([0, 0])
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 100) },
    )
    // The property would hold of a mapper that never says LIVE.
    expect(liveChecks).toBeGreaterThan(500)
    expect(spoiled).toBeGreaterThan(100)
  })

  it('is LIVE after every message of a line that loses nothing', () => {
    const clean = fc.array(
      change.map((one) => ({ ...one, fate: 'deliver', sameMs: false }) as Step),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(clean, (all) => {
        const line = new Line(false).run(all.map((one) => [one, 'now']))
        expect([line.wrongLive, line.harness.resyncs]).toEqual([0, 0])
        expect(line.harness.states.filter((state) => state !== 'LIVE' && state !== 'EMPTY')).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  it('would be wrong with the hash hidden (control)', () => {
    const lossy = fc.array(
      fc.tuple(change, fc.integer({ min: 0, max: 3 })).map(([one, n]) => {
        return { ...one, fate: n === 0 ? 'drop' : 'deliver', sameMs: false, size: '7' } as Step
      }),
      { minLength: 20, maxLength: 40 },
    )
    let wrong = 0
    let guarded = 0
    for (const all of fc.sample(lossy, { numRuns: 30, seed: 7 })) {
      wrong += new Line(true).run(all.map((one) => [one, 'now'])).wrongLive
      guarded += new Line(false).run(all.map((one) => [one, 'now'])).wrongLive
    }
    expect(wrong).toBeGreaterThan(30)
    expect(guarded).toBe(0)
  })
})
