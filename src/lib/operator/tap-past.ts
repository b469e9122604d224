/**
 * A tap of what was, or of what is as Redis has it: taken as fast as it is shown. Nothing is left out where nobody
 * reads; it waits where it lies.
 */

import type { BusKeys } from '../bus/curve.js'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Clock } from '../core/clock.js'
import type { Env } from '../model/venue.js'
import type { LineOutput } from './line-output.js'
import type { Origin } from './replay-origin.js'
import { replay } from './replay.js'
import type { ReplaySink, ReplaySummary } from './replay.js'
import type { BoundOptions } from './stream-bounds.js'
import type { TapDesk } from './tap-desk.js'
import { tapItem } from './tap-item.js'
import { selected } from './tap-selection.js'
import type { TapSelection } from './tap-selection.js'
import { SilenceWatch } from './tap-silence.js'

export interface TapPastOptions extends BoundOptions {
  readonly origin: Origin
  readonly selection: TapSelection
  readonly desk: TapDesk
  readonly output: Pick<LineOutput, 'room'>
  /** Who may be up while nothing comes. */
  readonly endpoints: readonly PublisherEndpoint[]
  readonly env: Env
  readonly clock: Clock
  readonly keys?: BusKeys | undefined
  /** Talk: one line, without its newline. */
  readonly talk: (line: string) => void
}

/** Runs until a bound is reached, or the past is over. Throws what the origin throws. */
export async function runTapPast(options: TapPastOptions): Promise<ReplaySummary['ended']> {
  const { origin, selection, desk, output, endpoints, env, clock, keys, talk } = options
  const { prefixes } = selection
  const silence = new SilenceWatch({ endpoints, prefixes, talk, hints: () => desk.hints() })
  // Heartbeats alone.
  const beats = new Subscriber({
    endpoints,
    prefixes: [],
    env,
    clock,
    keys,
    onMessage: () => undefined,
    onHeartbeat: (heartbeat) => silence.beat(heartbeat),
    onRefused: (_reason, publisher) => silence.refusedBy(publisher),
  })
  const sink: ReplaySink = {
    write: async (items, signal) => {
      for (const item of items) {
        if (item.kind === 'gap') desk.gap(item.gap)
        else desk.show(tapItem(item), item)
        silence.heard()
      }
      await output.room(signal)
    },
    close: () => Promise.resolve(),
  }
  try {
    const { ended } = await replay({
      ...options,
      past: (signal) => selected(origin(signal), selection),
      speed: Infinity,
      sink,
      onProgress: () => undefined,
    })
    return ended
  } finally {
    beats.close()
    silence.close()
  }
}
