/** A publishing process of the mirror benchmark, forked by `mirror.ts`: our publisher with its journal. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PublisherEndpoint } from '../bus/endpoints.js'
import { Publisher } from '../bus/publisher.js'
import { systemClock } from '../core/clock.js'
import { pricesSource } from '../messages/sources.js'
import type { Venue } from '../model/venue.js'
import { serveParent } from './bench-child.js'
import { BusSink } from './bus-sink.js'
import { Metronome } from './metronome.js'
import { MIRROR_ENV, MIRROR_KINDS } from './mirror-messages.js'
import type { FromMirrorPublisher, MirrorKind, ToMirrorPublisher } from './mirror-messages.js'
import { publishRun } from './pacing.js'
import type { Pace, Sink } from './pacing.js'

/** More than one stretch writes. */
const RETAIN_BYTES = 2 ** 30

const folder = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const metronome = new Metronome()
const sinks = new Map<MirrorKind, Sink>()
let prepared: { readonly sink: Sink; readonly pace: Pace } | undefined

async function bind(kind: MirrorKind, venue: Venue): Promise<PublisherEndpoint> {
  const sources = [pricesSource(venue)]
  const publisher = await Publisher.bind({
    name: venue,
    url: 'tcp://127.0.0.1:*',
    recoveryUrl: 'tcp://127.0.0.1:*',
    env: MIRROR_ENV,
    clock: systemClock,
    sources,
    journal: { root: join(folder, kind), retainBytes: RETAIN_BYTES },
  })
  sinks.set(kind, new BusSink(publisher, venue))
  return { publisher: venue, url: publisher.url, recoveryUrl: publisher.recoveryUrl ?? '', sources }
}

function sinkOf(kind: MirrorKind): Sink {
  const sink = sinks.get(kind)
  if (sink === undefined) throw new Error(`nothing is bound for ${kind}`)
  return sink
}

serveParent<ToMirrorPublisher, FromMirrorPublisher>(async (message) => {
  switch (message.type) {
    case 'bind': {
      const entries = MIRROR_KINDS.map(async (kind) => [kind, await bind(kind, message.venue)] as const)
      const endpoints = Object.fromEntries(await Promise.all(entries)) as Record<
        MirrorKind,
        PublisherEndpoint
      >
      return { type: 'bound', endpoints }
    }
    case 'prepare': {
      prepared = { sink: sinkOf(message.kind), pace: message.pace }
      return { type: 'prepared', firstSeq: prepared.sink.nextSeq }
    }
    case 'go': {
      if (prepared === undefined) throw new Error('nothing is prepared')
      return { type: 'done', result: await publishRun(prepared.sink, prepared.pace, metronome) }
    }
    case 'fill': {
      const pace = { rate: null, warmUp: 0, measured: message.count }
      return { type: 'filled', result: await publishRun(sinkOf(message.kind), pace, metronome) }
    }
  }
})
