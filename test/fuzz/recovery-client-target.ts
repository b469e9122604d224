/** The asking side of the recovery socket, towards a publisher that answers what it likes. */

import { Dealer, Router } from 'zeromq'
import { formatReply, formatRequest } from '../../src/lib/bus/recovery/messages.js'
import { RecoveryClient } from '../../src/lib/bus/recovery/recovery-client.js'
import type { PulledRecord } from '../../src/lib/bus/recovery/recovery-client.js'
import { systemClock } from '../../src/lib/core/clock.js'
import type { Prng } from '../../src/lib/sim/prng.js'
import { MESSAGES, SOURCE, TOPICS, answers, withPublisher } from './live-publisher.js'
import type { LivePublisher } from './live-publisher.js'
import { mutate } from './mutate.js'
import type { Frames } from './mutate.js'
import { Tally } from './target.js'
import type { FuzzTarget } from './target.js'

/** At most so many mutants come before each right answer: the first that fits the question settles it. */
const MOST_BEFORE = 8

export const recoveryClientTarget: FuzzTarget = {
  name: 'recovery client (reader)',
  unit: 'replies',
  run: (runs, random, progress) =>
    withPublisher(async (live) => {
      const real = new RecoveryClient({ endpoint: live.endpoint, clock: systemClock })
      const whole = await real.range(SOURCE, { epoch: live.epoch, from: 1 })
      real.close()
      const liar = await Liar.bind(await recordedReplies(live), random)
      const endpoint = { ...live.endpoint, recoveryUrl: liar.url }
      const client = new RecoveryClient({ endpoint, clock: systemClock, timeoutMs: 100 })
      const tally = new Tally()
      const questions = questionsOf(client, live, new Set(whole?.records.map(({ value }) => wordsOf(value))))
      try {
        while (liar.told < runs) {
          for (const question of questions) tally.add(await question())
          progress(liar.told)
        }
        const { counts: seen } = tally
        const isSound = (seen['a record that nobody published'] ?? 0) === 0
        const wasLiedTo = (seen['no answer'] ?? 0) > 0
        const worksAfter = isSound && wasLiedTo && (seen['answered'] ?? 0) > 0 && (await answers(live))
        return { sent: liar.told, counted: {}, mustCount: [], seen, worksAfter }
      } finally {
        client.close()
        liar.close()
      }
    }),
}

const wordsOf = (record: PulledRecord | null): string =>
  record === null
    ? ''
    : `${record.epoch} ${record.seq} ${record.timestampMs} ${record.topic} ${String(record.data)}`

/** Each asks once and says what came of it. A header may lie; a record carries its checksum. */
function questionsOf(
  client: RecoveryClient,
  { epoch }: LivePublisher,
  published: ReadonlySet<string>,
): (() => Promise<string>)[] {
  const judge = (records: readonly { readonly value: PulledRecord | null }[] | undefined, all: number) => {
    if (records === undefined) return 'no answer'
    const isPublished = records.every(({ value }) => published.has(wordsOf(value)))
    if (!isPublished) return 'a record that nobody published'
    return records.length === all ? 'answered' : 'answered with less'
  }
  return [
    async () => judge((await client.range(SOURCE, { epoch, from: 1 }))?.records, MESSAGES),
    async () => judge((await client.snapshot(SOURCE))?.values, TOPICS),
    async () => ((await client.ping()) ? 'answered' : 'no answer'),
  ]
}

/** Answers each request, after some mutants of what a real publisher says. */
class Liar {
  told = 0
  readonly url: string

  private constructor(
    private readonly socket: Router,
    private readonly recorded: ReadonlyMap<string, Frames>,
    private readonly random: Prng,
  ) {
    this.url = socket.lastEndpoint ?? ''
    void this.answer()
  }

  static async bind(recorded: ReadonlyMap<string, Frames>, random: Prng): Promise<Liar> {
    const socket = new Router({ linger: 0, sendHighWaterMark: 0 })
    await socket.bind('tcp://127.0.0.1:*')
    return new Liar(socket, recorded, random)
  }

  close(): void {
    this.socket.close()
  }

  private async answer(): Promise<void> {
    for await (const [client = Buffer.alloc(0), request = Buffer.alloc(0)] of this.socket) {
      const { id, op } = JSON.parse(String(request)) as { id: number; op: string }
      const withId = ([header, ...rest]: Frames): Frames => [
        Buffer.from(String(header).replace(/"id":\d+/, `"id":${id}`)),
        ...rest,
      ]
      const seeds = [...this.recorded.values()].map(withId)
      for (let i = this.random.int(0, MOST_BEFORE); i > 0; i--) this.tell(client, mutate(this.random, seeds))
      this.tell(client, withId(this.recorded.get(op) ?? []))
    }
  }

  private tell(client: Buffer, frames: Frames): void {
    this.told++
    this.socket.send([client, ...frames]).catch(() => undefined)
  }
}

/** What the real publisher answers, by the question. */
async function recordedReplies({ endpoint, epoch }: LivePublisher): Promise<Map<string, Frames>> {
  const dealer = new Dealer({ linger: 0 })
  dealer.connect(endpoint.recoveryUrl ?? '')
  const replies = new Map<string, Frames>()
  const questions = {
    range: formatRequest({ op: 'range', id: 1, source: SOURCE, epoch, from: 1 }),
    unknown: formatRequest({ op: 'range', id: 1, source: SOURCE, epoch: 0, from: 1 }),
    snapshot: formatRequest({ op: 'snapshot', id: 1, source: SOURCE, cursor: 0 }),
    ping: formatRequest({ op: 'ping', id: 1 }),
  }
  for (const [name, question] of Object.entries(questions)) {
    await dealer.send(question)
    replies.set(name, await dealer.receive())
  }
  dealer.close()
  return replies.set('limited', [Buffer.from(formatReply({ op: 'rate_limited', id: 1, retry_ms: 1 }))])
}
