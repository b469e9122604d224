/**
 * The publishing process of the hop benchmark, forked by `hop.ts`. Over ZeroMQ it is our publisher; through a
 * broker the same envelope from the same codec. Ends when its parent does.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../bus/curve.js'
import { Publisher } from '../bus/publisher.js'
import { ZapHandler } from '../bus/zap.js'
import { systemClock } from '../core/clock.js'
import { pricesSource } from '../messages/sources.js'
import { serveParent } from './bench-child.js'
import { connectBroker } from './brokers.js'
import type { BrokerLink } from './brokers.js'
import { BusSink } from './bus-sink.js'
import { BUS_TRANSPORTS, HOP_ENV, HOP_PUBLISHER } from './hop-messages.js'
import type { BusTransport, FromPublisher, PublisherRun, ToPublisher, Transport } from './hop-messages.js'
import { Metronome } from './metronome.js'
import { publishBursts, publishRun } from './pacing.js'
import type { Sink } from './pacing.js'
import { PlainChannel } from './plain-channel.js'
import { PriceWalk } from './price-walk.js'

const SOURCE = pricesSource(HOP_PUBLISHER)
/** More than any run writes. */
const RETAIN_BYTES = 4 * 2 ** 30

/** The envelope of our publisher through a broker. */
class BrokerSink implements Sink {
  private readonly walk = new PriceWalk()
  private readonly channel

  constructor(private readonly link: BrokerLink) {
    this.channel = new PlainChannel(SOURCE, HOP_ENV, (topic, text) => link.publish(topic, text))
  }

  get nextSeq(): number {
    return this.channel.nextSeq
  }

  publish(dueUs: number): void {
    const { topic, payload, topLevel } = this.walk.next()
    this.channel.publish(topic, payload, { stamps: { recv: dueUs }, topLevel })
  }

  flushed(): Promise<unknown> {
    return this.link.flushed()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'arbees-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const readerKey = generateKeyPair()
const publisherKey = generateKeyPair()
await ZapHandler.start({ allows: (key) => key === readerKey.publicKey, onRefused: () => undefined })

async function bind(transport: BusTransport): Promise<Publisher> {
  const root = join(folder, transport)
  return Publisher.bind({
    name: HOP_PUBLISHER,
    url: 'tcp://127.0.0.1:*',
    env: HOP_ENV,
    clock: systemClock,
    sources: [SOURCE],
    ...(transport === 'zeromq'
      ? {}
      : { journal: { root, retainBytes: RETAIN_BYTES }, recoveryUrl: 'tcp://127.0.0.1:*' }),
    ...(transport.endsWith('curve') ? { keys: { own: publisherKey, serverKeyOf: () => undefined } } : {}),
  })
}

const publishers = Object.fromEntries(
  await Promise.all(BUS_TRANSPORTS.map(async (transport) => [transport, await bind(transport)] as const)),
) as Record<BusTransport, Publisher>
const sinks: Partial<Record<Transport, Sink>> = Object.fromEntries(
  BUS_TRANSPORTS.map((transport) => [transport, new BusSink(publishers[transport], HOP_PUBLISHER)]),
)
const metronome = new Metronome()
let prepared: { readonly sink: Sink; readonly run: PublisherRun } | undefined

async function handle(message: ToPublisher): Promise<FromPublisher> {
  switch (message.type) {
    case 'connect': {
      sinks[message.place.transport] = new BrokerSink(await connectBroker(message.place))
      return { type: 'connected' }
    }
    case 'fill': {
      const sink = sinks[message.transport]
      if (sink !== undefined) await publishBursts(sink, message.count)
      const { recoveryUrl = '' } = publishers[message.transport]
      const { epoch, lastSeq } = publishers[message.transport].channel(SOURCE)
      return { type: 'filled', recoveryUrl, epoch, last: lastSeq }
    }
    case 'prepare': {
      const sink = sinks[message.run.transport]
      if (sink === undefined) throw new Error(`${message.run.transport} is not connected`)
      prepared = { sink, run: message.run }
      return { type: 'prepared', firstSeq: sink.nextSeq }
    }
    case 'go': {
      if (prepared === undefined) throw new Error('nothing is prepared')
      return { type: 'done', result: await publishRun(prepared.sink, prepared.run, metronome) }
    }
  }
}

const urls = Object.fromEntries(
  BUS_TRANSPORTS.map((transport) => [transport, publishers[transport].url]),
) as Record<BusTransport, string>
const tell = serveParent(handle)
tell({ type: 'bound', urls, keys: { reader: readerKey, publisherKey: publisherKey.publicKey } })
