/** Faults by a seed: which, whom and for how long. Two may overlap, but never meet the same thing. */

import { sleep } from '../../src/lib/core/backoff.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import type { Actor } from '../faults/actor.js'
import type { Lane } from './lane.js'

/** One thing that can go wrong now. */
interface Strike {
  readonly kind: string
  /** What it holds until it is over. */
  readonly holds: readonly object[]
  run(): Promise<void>
}

/** Between the beginnings of two. */
const PAUSE_MS = [300, 3_000] as const
const BURST = [500, 4_000] as const

export class Trouble {
  /** Struck so far, by kind. */
  readonly counts: Record<string, number> = {}
  readonly problems: string[] = []
  private readonly held = new Set<object>()
  private readonly running = new Set<Promise<void>>()

  constructor(
    private readonly lanes: readonly Lane[],
    private readonly dice: Prng,
  ) {}

  /** Makes trouble for so long, and waits until all of it has healed. */
  async make(ms: number, stop: AbortSignal): Promise<void> {
    for (const endMs = performance.now() + ms; performance.now() < endMs && !stop.aborted;) {
      this.strike()
      await sleep(Math.min(this.ms(...PAUSE_MS), endMs - performance.now()))
    }
    await Promise.all(this.running)
  }

  private strike(): void {
    const free = this.lanes
      .flatMap((lane) => this.strikesOn(lane))
      .filter(({ holds }) => !holds.some((each) => this.held.has(each)))
    const kinds = [...new Set(free.map(({ kind }) => kind))]
    const kind = kinds[this.dice.int(0, kinds.length - 1)]
    const ofKind = free.filter((each) => each.kind === kind)
    const chosen = ofKind[this.dice.int(0, ofKind.length - 1)]
    if (chosen === undefined) return
    this.counts[chosen.kind] = (this.counts[chosen.kind] ?? 0) + 1
    for (const each of chosen.holds) this.held.add(each)
    const run = chosen
      .run()
      .catch((error: unknown) => void this.problems.push(`${chosen.kind}: ${String(error)}`))
      .finally(() => {
        for (const each of chosen.holds) this.held.delete(each)
        this.running.delete(run)
      })
    this.running.add(run)
  }

  private strikesOn(lane: Lane): Strike[] {
    const { publisher, redis, mortals, secondMirror } = lane
    const start = (actor: Actor) =>
      actor === publisher ? lane.startPublisher() : actor.start().then(() => undefined)
    return [
      ...mortals.map((actor): Strike => ({
        kind: 'kill',
        holds: [actor],
        run: async () => {
          await actor.kill()
          await this.wait(50, 2_000)
          await start(actor)
        },
      })),
      {
        kind: 'kill_together',
        holds: [...mortals, redis],
        run: async () => {
          await Promise.all([redis.kill(), ...mortals.map((actor) => actor.kill())])
          await this.wait(50, 1_000)
          await Promise.all([redis.start(), ...mortals.map(start)])
        },
      },
      ...lane.actors.map((actor) => this.pause('stop', actor)),
      this.pause('redis_stop', redis),
      {
        kind: 'redis_kill',
        holds: [redis],
        run: async () => {
          await redis.kill()
          await this.wait(50, 2_000)
          await redis.start()
        },
      },
      { kind: 'redis_flush', holds: [redis], run: async () => void (await redis.look.flushall()) },
      {
        kind: 'burst',
        holds: [publisher],
        run: () => lane.burst(this.dice.int(...BURST)),
      },
      ...(secondMirror === undefined ? [] : [this.secondMirror(secondMirror)]),
      ...lane.links.flatMap((link): Strike[] => [
        { kind: 'link_cut', holds: [link], run: () => Promise.resolve(link.cutMidFrame()) },
        this.hurt('link_blackhole', link, () => link.blackhole()),
        this.hurt('replies_swallowed', link, () => link.swallowReplies()),
        this.hurt('link_delay', link, () => link.delay(50)),
      ]),
    ]
  }

  private pause(kind: string, subject: Pausable): Strike {
    return {
      kind,
      holds: [subject],
      run: async () => {
        subject.pause()
        await this.wait(100, 4_000)
        subject.resume()
      },
    }
  }

  private hurt(kind: string, link: Healable, begin: () => void): Strike {
    return {
      kind,
      holds: [link],
      run: async () => {
        begin()
        await this.wait(200, 3_000)
        link.delay(0)
        link.heal()
      },
    }
  }

  private secondMirror(actor: Actor): Strike {
    return {
      kind: 'second_mirror',
      holds: [actor],
      run: async () => {
        await actor.start()
        await this.wait(1_000, 4_000)
        await actor.kill()
      },
    }
  }

  private ms(least: number, most: number): number {
    return Math.round(this.dice.range(least, most))
  }

  private wait(least: number, most: number): Promise<unknown> {
    return sleep(this.ms(least, most))
  }
}

interface Pausable {
  pause(): void
  resume(): void
}

interface Healable {
  delay(ms: number): void
  heal(): void
}
