/** A `nats-server` of our own on a free loopback port, where one is on PATH. */

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ArbeesError } from '../core/errors.js'

/** It says on stderr where it listens. */
const LISTENS = /Listening for client connections on 127\.0\.0\.1:(\d+)/
const VERSION = /Version:\s+(\S+)/
const START_MS = 5_000

export interface NatsServer {
  readonly port: number
  readonly version: string
  /** Processor time since its start, us, in steps of 10 ms; 0 where the system does not tell. */
  cpuUs(): number
  stop(): Promise<void>
}

/** Throws `NO_NATS`, saying why. */
export function startNats(): Promise<NatsServer> {
  return new Promise((started, refuse) => {
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const timer = setTimeout(() => fail('nats-server did not start'), START_MS)
    const fail = (why: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      refuse(new ArbeesError('NO_NATS', why))
    }
    const ended = new Promise<void>((done) => child.once('close', () => done()))
    child.once('error', () => fail('nats-server is not on PATH'))
    child.once('exit', () => fail('nats-server ended at once'))
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      // What it logs later is of no use.
      if (text === '' || !LISTENS.test(text)) text += chunk.toString()
      const port = LISTENS.exec(text)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      started({
        port: Number(port),
        version: VERSION.exec(text)?.[1] ?? 'unknown',
        cpuUs: () => cpuUsOf(child.pid),
        stop: async () => {
          child.kill('SIGTERM')
          await ended
        },
      })
    })
  })
}

/** Of Linux's clock ticks, 100 a second. */
function cpuUsOf(pid: number | undefined): number {
  try {
    // Behind the name, which may hold anything: state, then 10 fields, then user and system time.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return 0
  }
}
