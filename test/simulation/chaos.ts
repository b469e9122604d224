/** What goes wrong in a run: each fault begins at a random moment and ends by itself, or when everything is healed. */

import type { Prng } from '../../src/lib/sim/prng.js'
import type { EventLoop } from './event-loop.js'
import { CALM } from './network.js'
import type { Link, NetworkFaults } from './network.js'
import type { SimDisk } from './sim-disk.js'
import type { SimMirror } from './sim-mirror.js'
import type { SimPublisher } from './sim-publisher.js'
import type { SimReader } from './sim-reader.js'
import type { SimSnapshotReader } from './sim-snapshot-reader.js'
import type { SimStore } from './sim-store.js'
import type { Truth } from './truth.js'

export interface Victims {
  readonly loop: EventLoop
  readonly truth: Truth
  readonly publisher: SimPublisher
  readonly disk: SimDisk
  readonly readers: readonly (SimReader | SimMirror | SimSnapshotReader)[]
  readonly store: SimStore
  readonly liveLinks: readonly Link[]
  readonly recoveryLinks: readonly Link[]
  readonly storeLinks: readonly Link[]
  readonly trace: (text: string) => void
}

/** A fault begins; what it returns ends it. */
type Fault = (victims: Victims, prng: Prng) => () => void

const nothing = (): void => undefined

const FAULTS: Readonly<Record<string, Fault>> = {
  killPublisher: ({ publisher }) => {
    publisher.kill()
    return () => publisher.start()
  },
  stopPublisher: ({ publisher }) => {
    publisher.stopCleanly()
    return () => publisher.start()
  },
  cutPower: ({ publisher }) => {
    publisher.cutPower()
    return () => publisher.start()
  },
  fillDisk: ({ disk }, prng) => {
    disk.free = prng.int(0, 2_000)
    return () => {
      disk.free = Infinity
    }
  },
  flipBit: ({ disk, truth }) => {
    if (disk.flipBit()) truth.diskDamaged = true
    return nothing
  },
  wipeDisk: ({ disk, truth }) => {
    disk.wipe()
    truth.journalLost = true
    truth.loseEnds()
    return nothing
  },
  killReader: ({ readers }, prng) => {
    const reader = pick(prng, readers)
    reader.kill()
    return () => reader.start()
  },
  severLive: ({ liveLinks }, prng) => sever(prng, liveLinks),
  severRecovery: ({ recoveryLinks }, prng) => sever(prng, recoveryLinks),
  severStore: ({ storeLinks }, prng) => sever(prng, storeLinks),
  disturbLive: ({ liveLinks }, prng) => disturb(prng, liveLinks),
  disturbRecovery: ({ recoveryLinks }, prng) => disturb(prng, recoveryLinks),
  disturbStore: ({ storeLinks }, prng) => disturb(prng, storeLinks),
  restartStore: ({ store }, prng) => {
    store.goDown()
    if (prng.chance(0.5)) store.rollBack(prng.chance(0.3))
    return () => {
      store.up = true
    }
  },
  rollBackStore: ({ store }, prng) => {
    store.rollBack(prng.chance(0.3))
    return nothing
  },
  failStore: ({ store }, prng) => {
    store.errorChance = prng.range(0.1, 0.9)
    return () => {
      store.errorChance = 0
    }
  },
  jumpClock: ({ publisher }, prng) => {
    publisher.clockOffsetMs += prng.int(-5_000, 5_000)
    return nothing
  },
}

/** Schedules faults of some kinds over `chaosMs`. */
export function unleash(victims: Victims, prng: Prng, chaosMs: number): void {
  const { loop, trace } = victims
  const chosen = Object.entries(FAULTS).filter(() => prng.chance(0.4))
  if (chosen.length === 0) return
  const count = prng.int(1, 8)
  for (let i = 0; i < count; i++) {
    const [name, fault] = pick(prng, chosen)
    loop.after(prng.range(0, chaosMs), () => {
      trace(`fault ${name}`)
      const end = fault(victims, prng)
      loop.after(durationMs(prng), () => {
        trace(`fault ${name} ends`)
        end()
      })
    })
  }
}

/** Everything works from now on. */
export function heal({
  publisher,
  disk,
  readers,
  store,
  liveLinks,
  recoveryLinks,
  storeLinks,
}: Victims): void {
  for (const link of [...liveLinks, ...recoveryLinks, ...storeLinks]) {
    link.faults = CALM
    link.mend()
  }
  disk.free = Infinity
  store.errorChance = 0
  store.up = true
  publisher.spare()
  publisher.start()
  for (const reader of readers) reader.start()
}

/** Most faults are short, some outlast every patience. */
function durationMs(prng: Prng): number {
  const kind = prng.next()
  return prng.range(0, kind < 0.3 ? 30 : kind < 0.8 ? 600 : 3_000)
}

function sever(prng: Prng, links: readonly Link[]): () => void {
  const how = prng.chance(0.5) ? 'drop' : 'hold'
  const cut = prng.chance(0.5) ? links : [pick(prng, links)]
  for (const link of cut) link.sever(how)
  return () => {
    for (const link of cut) link.mend()
  }
}

function disturb(prng: Prng, links: readonly Link[]): () => void {
  const faults: NetworkFaults = {
    drop: prng.chance(0.6) ? prng.range(0, 0.5) : 0,
    duplicate: prng.chance(0.4) ? prng.range(0, 0.5) : 0,
    reorder: prng.chance(0.4) ? prng.range(0, 0.3) : 0,
    maxLatencyMs: prng.chance(0.5) ? 2 : prng.range(2, 300),
  }
  for (const link of links) link.faults = faults
  return () => {
    for (const link of links) link.faults = CALM
  }
}

const pick = <T>(prng: Prng, choices: readonly T[]): T => choices[prng.int(0, choices.length - 1)]!
