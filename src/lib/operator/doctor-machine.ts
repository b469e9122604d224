/** What of the machine arbees needs: Node, the ZeroMQ addon, the data dir and its disk, keys that nobody else reads. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Publisher } from '../bus/publisher.js'
import { RecoveryClient } from '../bus/recovery/recovery-client.js'
import { RecoveryServer } from '../bus/recovery/recovery-server.js'
import { Subscriber } from '../bus/subscriber.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { haltPath, latchPath, readLatch } from '../execution/halt-files.js'
import { modeOfEnv } from '../roles/exec-gateways.js'
import { monitorHoldsTradingKey } from '../roles/credentials.js'
import { OPERATOR, loadKeyRing, loadSignalKey } from '../roles/bus-keys.js'
import { formatBytes, formatUs } from '../view/units.js'
import { failed, ok, skipped, warning } from './doctor-report.js'
import type { DoctorCheck } from './doctor-report.js'

const OLDEST_NODE = [20, 19] as const
const ANY_PORT = 'tcp://127.0.0.1:*'
const HEARD_WITHIN_MS = 2_000
/** Eight channels whose journals keep what they should, and some. */
const CHANNELS = 8

export function checkNode(version = process.versions.node): DoctorCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldest, least] = OLDEST_NODE
  const isOld = major < oldest || (major === oldest && minor < least)
  return isOld
    ? failed('node', `Node ${version}`, `install Node ${oldest}.${least} or newer`)
    : ok('node', `Node ${version}`)
}

/** A publisher and a subscriber of ours over loopback: the addon loads, a heartbeat arrives, a question is answered. */
export async function checkZeromq(clock: Clock): Promise<DoctorCheck> {
  let publisher: Publisher | undefined
  let server: RecoveryServer | undefined
  let subscriber: Subscriber | undefined
  let client: RecoveryClient | undefined
  try {
    publisher = await Publisher.bind({ name: 'doctor', url: ANY_PORT, env: 'sim', clock, sources: [] })
    server = await RecoveryServer.bind({ url: ANY_PORT, clock })
    server.serve(new Map())
    const endpoint = { publisher: 'doctor', url: publisher.url, recoveryUrl: server.url, sources: [] }
    const heard = new Promise<boolean>((resolve) => {
      subscriber = new Subscriber({
        ...{ endpoints: [endpoint], prefixes: ['health.'], env: 'sim', clock },
        onMessage: () => undefined,
        onHeartbeat: () => resolve(true),
        onProblem: () => undefined,
      })
      setTimeout(() => resolve(false), HEARD_WITHIN_MS).unref()
    })
    if (!(await heard)) throw new Error(`no heartbeat of our own within ${HEARD_WITHIN_MS} ms`)
    client = new RecoveryClient({ endpoint, clock })
    // The first one connects.
    await client.ping()
    const askedUs = clock.monoUs()
    if (!(await client.ping())) throw new Error('no answer of our own recovery socket')
    const tookUs = clock.monoUs() - askedUs
    return ok('zeromq', `a heartbeat was heard, a question answered in ${formatUs(tookUs)}`)
  } catch (error) {
    return failed('zeromq', messageOf(error), 'is loopback up, and did `npm ci` fetch the prebuilt addon?')
  } finally {
    client?.close()
    server?.close()
    subscriber?.close()
    publisher?.close()
  }
}

/** Written to and removed again. */
export function checkDataDir({ data_dir: dir }: Settings): DoctorCheck {
  const path = resolve(dir)
  try {
    mkdirSync(dir, { recursive: true })
    const probe = mkdtempSync(join(dir, 'doctor-'))
    writeFileSync(join(probe, 'written'), 'x')
    rmSync(probe, { recursive: true })
    const mode = statSync(dir).mode
    return (mode & 0o022) === 0
      ? ok('data dir', path)
      : warning(
          'data dir',
          `${path} can be changed by others, who could halt or resume`,
          `chmod go-w ${path}`,
        )
  } catch (error) {
    return failed('data dir', messageOf(error), 'make it writable, or name another with --data-dir')
  }
}

export function checkDisk(settings: Settings): DoctorCheck {
  const wanted = CHANNELS * settings['journal.retain']
  try {
    const { bavail, bsize } = statfsSync(settings.data_dir)
    const free = bavail * bsize
    const found = `${formatBytes(free)} free, journals take up to ${formatBytes(wanted)}`
    if (free >= wanted) return ok('disk', found)
    return warning('disk', found, 'free some, or lower journal.retain: a full disk stops signals')
  } catch (error) {
    return failed('disk', messageOf(error), 'is the data dir there?')
  }
}

/** Keys of the bus, as the operator's own commands and the seals of signals need them. */
export function checkKeys(settings: Settings): DoctorCheck {
  if (settings.keys_dir === '') {
    return settings.env === 'prod'
      ? warning(
          'keys',
          'none: every user of this host can read and signal',
          'arbees keys generate, then set keys_dir',
        )
      : skipped('keys', 'none are set: the bus stays on loopback')
  }
  try {
    loadKeyRing(settings, OPERATOR, () => undefined)
    return loadSignalKey(settings) === undefined
      ? warning('keys', `${settings.keys_dir} has no signals.hmac`, 'arbees keys generate signals.hmac')
      : ok('keys', `${settings.keys_dir}, read by its owner alone`)
  } catch (error) {
    const mend = error instanceof ArbeesError ? error.hint : undefined
    return failed('keys', messageOf(error), mend ?? 'arbees keys generate')
  }
}

/** Files of credentials: that they are there, that nobody else reads them, and that monitors cannot trade with theirs. */
export function checkCredentials(settings: Settings): DoctorCheck {
  const named = [
    settings['kalshi.credentials_file'],
    settings['kalshi.trading_credentials_file'],
    settings['polymarket.credentials_file'],
  ].filter((path) => path !== '')
  if (named.length === 0) {
    return settings.env === 'sim'
      ? skipped('credentials', 'the simulator makes its own')
      : warning(
          'credentials',
          `none for ${settings.env}`,
          'set kalshi.credentials_file: a monitor needs a read-only key',
        )
  }
  for (const path of named) {
    let mode: number | undefined
    try {
      mode = statSync(path, { throwIfNoEntry: false })?.mode
    } catch (error) {
      return failed(
        'credentials',
        messageOf(error),
        'let this user reach it, or correct its path in the settings',
      )
    }
    if (mode === undefined)
      return failed('credentials', `${path} is not there`, 'correct its path in the settings')
    if ((mode & 0o077) !== 0)
      return failed('credentials', `${path} can be read by others`, `chmod 600 ${path}`)
  }
  if (monitorHoldsTradingKey(settings)) {
    return warning(
      'credentials',
      'kalshi.credentials_file and kalshi.trading_credentials_file name the same key: monitors could trade',
      'create a read-only key on the account page of Kalshi for kalshi.credentials_file',
    )
  }
  return ok('credentials', `${named.length} files, read by their owner alone`)
}

export function checkHalt(settings: Settings): DoctorCheck {
  try {
    const latch = readLatch(latchPath(settings.data_dir, settings.env, modeOfEnv(settings.env)))
    const file = haltPath(settings.data_dir)
    if (latch === undefined && existsSync(file)) {
      return warning('halt', `${resolve(file)} halts whoever starts`, 'arbees resume --reason "…"')
    }
    return latch === undefined
      ? ok('halt', 'not halted')
      : warning(
          'halt',
          `halted (${latch.level}) by ${latch.by}: ${latch.reason}`,
          'arbees resume --reason "…"',
        )
  } catch (error) {
    const mend = error instanceof ArbeesError ? error.hint : undefined
    return failed('halt', messageOf(error), mend ?? 'make the latch file readable')
  }
}
