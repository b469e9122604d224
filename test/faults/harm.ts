/** Our reader, broken on purpose: the harness must see each of these, or it is blind. */

import { SightingLog } from './sightings.js'
import type { Sighting } from './tally.js'

export const HARMS = ['lose', 'double', 'reorder', 'alter', 'deaf'] as const
export type Harm = (typeof HARMS)[number]

/** Every so many messages. */
const EVERY = 100

export class HarmedLog extends SightingLog {
  private count = 0
  private held: Sighting | undefined

  constructor(
    path: string,
    private readonly harm: Harm,
  ) {
    super(path)
  }

  override message(sighting: Sighting): void {
    if (this.harm === 'deaf') return
    const { held } = this
    const isStruck = ++this.count % EVERY === 0
    if (!isStruck) super.message(sighting)
    else if (this.harm === 'double') for (let i = 0; i < 2; i++) super.message(sighting)
    else if (this.harm === 'alter') super.message({ ...sighting, n: sighting.n + 1 })
    else if (this.harm === 'reorder') this.held = sighting
    if (held !== undefined) {
      super.message(held)
      this.held = undefined
    }
  }
}
