/** A role in this process with its own context, and a monitor that a test controls frame by frame. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Publisher as PubSocket } from 'zeromq'
import { sourcesOf } from '../../../src/lib/bus/endpoints.js'
import { loadSettings } from '../../../src/lib/core/config.js'
import type { SettingKey } from '../../../src/lib/core/config.js'
import { systemClock } from '../../../src/lib/core/clock.js'
import { hostId } from '../../../src/lib/core/ids.js'
import { Lifecycle } from '../../../src/lib/core/lifecycle.js'
import { encode } from '../../../src/lib/messages/codec.js'
import type { Stamps } from '../../../src/lib/messages/payloads.js'
import type { RoleContext } from '../../../src/lib/roles/role.js'
import { Counters } from '../../../src/lib/telemetry/counters.js'

export interface TestRole {
  readonly context: RoleContext
  readonly lines: string[]
  readonly isReady: () => boolean
  /** Where it says that it publishes. */
  readonly url: () => string | undefined
}

export function testRole(name: string, flags: Partial<Record<SettingKey, string>>): TestRole {
  const dir = mkdtempSync(join(tmpdir(), 'arbees-role-'))
  const { settings } = loadSettings({
    flags: { env: 'sim', redis_url: 'redis://127.0.0.1:1', data_dir: dir, ...flags },
  })
  const lifecycle = new Lifecycle()
  lifecycle.defer('data dir', () => rmSync(dir, { recursive: true, force: true }))
  const lines: string[] = []
  const write = (text: string) => void lines.push(text)
  const counters = new Counters()
  let ready = false
  const context: RoleContext = {
    name,
    settings,
    clock: systemClock,
    log: { debug: write, info: write, warn: write, error: write },
    counters,
    lifecycle,
    keys: undefined,
    reloadKeys: () => undefined,
    ready: () => (ready = true),
    report: () => ({ counts: counters.snapshot(), hops: {} }),
  }
  return {
    context,
    lines,
    isReady: () => ready,
    url: () => lines.map((line) => /publishes on (\S+)/.exec(line)?.[1]).find((url) => url !== undefined),
  }
}

/** Speaks the bus by hand, so that a test can lose, squat and fall silent as our publisher never would. */
export class FakePublisher {
  readonly socket = new PubSocket({ linger: 0, sendTimeout: 0, sendHighWaterMark: 100_000 })
  epoch = Date.now()
  /** Of its feed, when it has one; null: never proved. */
  provedAgoUs: number | null = 1000
  private readonly seqs = new Map<string, number>()
  private timer: NodeJS.Timeout | undefined

  private constructor(readonly name: string) {}

  static async bind(name: string, url = 'tcp://127.0.0.1:*'): Promise<FakePublisher> {
    const publisher = new FakePublisher(name)
    await publisher.socket.bind(url)
    publisher.resume()
    return publisher
  }

  get url(): string {
    return this.socket.lastEndpoint ?? ''
  }

  /** Numbers and sends; a message that is `lost` is numbered and not sent. Returns its identity. */
  publish(
    source: string,
    topic: string,
    payload: object,
    { stamps = { recv: systemClock.monoUs() }, lost = false }: { stamps?: Stamps; lost?: boolean } = {},
  ): { source: string; epoch: number; seq: number } {
    const seq = (this.seqs.get(source) ?? 0) + 1
    this.seqs.set(source, seq)
    const { epoch } = this
    const envelope = { env: 'sim', source, epoch, seq, timestampMs: Date.now(), host: hostId() } as const
    const text = encode({ ...envelope, stamps: { ...stamps, pub: systemClock.monoUs() } }, payload)
    if (!lost) this.send(topic, text)
    return { source, epoch, seq }
  }

  send(topic: string, text: string): void {
    void this.socket.send([topic, text])
  }

  beat(closing = false): void {
    const sources = sourcesOf(this.name)
    const feed = {
      name: this.name,
      state: 'LIVE',
      proved_ago_us: this.provedAgoUs,
      markets: 1,
      reconnects: 0,
    }
    const heartbeat = {
      v: 1,
      publisher: this.name,
      env: 'sim',
      host: hostId(),
      pid: process.pid,
      timestamp_ms: Date.now(),
      mono_us: systemClock.monoUs(),
      channels: sources.map((source) => ({
        source,
        epoch: this.epoch,
        last_seq: this.seqs.get(source) ?? 0,
        oldest: null,
        journal: 'none',
      })),
      feeds: this.name === 'orchestrator' ? [] : [feed],
      counts: {},
      hops: {},
      closing,
    }
    this.send(`health.${this.name}`, JSON.stringify(heartbeat))
  }

  /** A clean end and a new life on the same socket. */
  restart(): void {
    this.beat(true)
    this.epoch += 1
    this.seqs.clear()
    this.beat()
  }

  fallSilent(): void {
    clearInterval(this.timer)
  }

  resume(): void {
    this.beat()
    this.timer = setInterval(() => this.beat(), 50)
  }

  close(): void {
    clearInterval(this.timer)
    this.socket.close()
  }
}
