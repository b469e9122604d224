/** What a run is made of, where a rule can be switched off. */

import { ChannelReader } from '../../src/lib/bus/channel-reader.js'
import type { ChannelReaderOptions } from '../../src/lib/bus/channel-reader.js'
import { SnapshotReader } from '../../src/lib/bus/snapshot-reader.js'
import type { SnapshotReaderOptions } from '../../src/lib/bus/snapshot-reader.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { ModelStore } from './model-store.js'
import { SimDisk } from './sim-disk.js'
import type { Envelope } from './truth.js'

export interface Parts {
  readonly reader: (options: ChannelReaderOptions) => ChannelReader<Envelope>
  readonly snapshotReader: (options: SnapshotReaderOptions) => SnapshotReader<Envelope>
  readonly disk: (prng: Prng) => SimDisk
  readonly store: () => ModelStore
}

export const OURS: Parts = {
  reader: (options) => new ChannelReader(options),
  snapshotReader: (options) => new SnapshotReader(options),
  disk: (prng) => new SimDisk(prng),
  store: () => new ModelStore(),
}

/** For the trace: without the messages themselves. */
export const brief = (item: unknown): string =>
  JSON.stringify(item, (key, value: unknown) => {
    if (key === 'value') return undefined
    return Array.isArray(value) && (key === 'records' || key === 'values') ? value.length : value
  })
