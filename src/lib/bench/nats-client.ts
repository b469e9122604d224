/**
 * NATS as plain as its protocol: CONNECT, SUB, PUB over one socket. A reference that the bus is measured against: what a
 * turn of the event loop publishes goes out in one write, as the clients of NATS do it.
 */

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { messageOf } from '../core/errors.js'

const CRLF = Buffer.from('\r\n')

export class NatsClient {
  private onMessage: (subject: string, body: Buffer) => void = () => undefined
  private rest: Buffer = Buffer.alloc(0)
  private written = ''
  private pongs: (() => void)[] = []

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.onData(chunk))
    socket.setNoDelay()
  }

  /** Resolves when the server has answered. */
  static async connect(port: number): Promise<NatsClient> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((done, refuse) => {
      socket.once('connect', done)
      socket.once('error', (error) => refuse(new Error(`NATS at port ${port}: ${messageOf(error)}`)))
    })
    socket.on('error', () => undefined)
    const client = new NatsClient(socket)
    client.write('CONNECT {"verbose":false,"pedantic":false,"lang":"node","version":"0"}\r\n')
    await client.flushed()
    return client
  }

  /** Resolves when the server knows of them. */
  async subscribe(
    subjects: readonly string[],
    onMessage: (subject: string, body: Buffer) => void,
  ): Promise<void> {
    this.onMessage = onMessage
    subjects.forEach((subject, id) => this.write(`SUB ${subject} ${id}\r\n`))
    await this.flushed()
  }

  publish(subject: string, text: string): void {
    this.write(`PUB ${subject} ${Buffer.byteLength(text)}\r\n${text}\r\n`)
  }

  /** Resolves when the server has read everything that was written. */
  flushed(): Promise<void> {
    this.write('PING\r\n')
    return new Promise((done) => this.pongs.push(done))
  }

  close(): void {
    this.socket.destroy()
  }

  private write(text: string): void {
    if (this.written === '') queueMicrotask(() => this.flush())
    this.written += text
  }

  private flush(): void {
    this.socket.write(this.written)
    this.written = ''
  }

  private onData(chunk: Buffer): void {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let at = 0
    for (;;) {
      const end = data.indexOf(CRLF, at)
      if (end < 0) break
      const next = this.take(data, data.toString('latin1', at, end), end + CRLF.length)
      if (next === undefined) break
      at = next
    }
    this.rest = data.subarray(at)
  }

  /** Handles one line whose body begins at `from`; where the next one begins, or undefined when it is not there yet. */
  private take(data: Buffer, line: string, from: number): number | undefined {
    if (line.startsWith('MSG ')) {
      const words = line.split(' ')
      const end = from + Number(words.at(-1))
      if (data.length < end + CRLF.length) return undefined
      this.onMessage(words[1] ?? '', data.subarray(from, end))
      return end + CRLF.length
    }
    if (line === 'PING') this.write('PONG\r\n')
    else if (line === 'PONG') this.pongs.shift()?.()
    return from
  }
}
