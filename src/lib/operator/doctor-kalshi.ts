/** With --live: whether each Kalshi key that is configured is one of this env, by a signed read that changes nothing. */

import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, messageOf } from '../core/errors.js'
import { kalshiKeyFile } from '../roles/credentials.js'
import { keyWarning, loadKalshiCredentials, signRequest } from '../venues/kalshi/auth.js'
import type { KalshiCredentials } from '../venues/kalshi/auth.js'
import { parseErrorBody } from '../venues/kalshi/rest-result.js'
import { failed, ok, warning } from './doctor-report.js'
import type { DoctorCheck } from './doctor-report.js'
import { MOST_SKEW_MS, skewMs, wordsOfSkew } from './doctor-skew.js'

const TIMEOUT_MS = 5_000
const PATH = '/portfolio/balance'
const SYNCHRONISE = 'synchronise this host (chrony, systemd-timesyncd)'

type Use = 'read' | 'trade'

/** One read for each key; none for a key that is not configured. */
export async function checkKalshiKeys(settings: Settings, url: string, clock: Clock): Promise<DoctorCheck[]> {
  const checks = await Promise.all(
    (['read', 'trade'] as const).map((use) => checkKey(settings, use, url, clock)),
  )
  return checks.filter((check) => check !== undefined)
}

async function checkKey(
  settings: Settings,
  use: Use,
  url: string,
  clock: Clock,
): Promise<DoctorCheck | undefined> {
  const name = `kalshi ${use} key`
  let credentials: KalshiCredentials
  try {
    credentials = loadKalshiCredentials(kalshiKeyFile(settings, use))
  } catch (error) {
    if (error instanceof ArbeesError && error.code === 'NO_CREDENTIALS') return undefined
    const hint = error instanceof ArbeesError ? error.hint : undefined
    return failed(name, messageOf(error), hint ?? 'correct the file that the settings name')
  }
  try {
    return judge(name, settings, use, await ask(credentials, url, clock), credentials)
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    const mend = 'is the network up, and kalshi.rest_url in the settings right?'
    return failed(name, `${new URL(url).host}: ${messageOf(cause)}`, mend)
  }
}

interface Answer {
  readonly host: string
  readonly status: number
  readonly text: string
  /** How far their clock is ahead of ours; a signed answer comes from no cache. */
  readonly skew: number | undefined
  readonly tookMs: number
}

async function ask(credentials: KalshiCredentials, base: string, clock: Clock): Promise<Answer> {
  const url = new URL(`${base.replace(/\/+$/, '')}${PATH}`)
  const beforeMs = clock.nowMs()
  const signed = signRequest(credentials, { timestampMs: beforeMs, method: 'GET', path: url.pathname })
  const response = await fetch(url, { headers: { ...signed }, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const text = await response.text()
  const afterMs = clock.nowMs()
  const { status, headers } = response
  const skew = skewMs(headers.get('date'), beforeMs, afterMs, headers.get('age'))
  return { host: url.host, status, text, skew, tookMs: afterMs - beforeMs }
}

function judge(
  name: string,
  { env }: Settings,
  use: Use,
  { host, status, text, skew, tookMs }: Answer,
  credentials: KalshiCredentials,
): DoctorCheck {
  const key = `key ${credentials.keyId} at ${host}`
  const clocks = skew === undefined ? 'it tells no time' : wordsOfSkew(skew)
  if (status !== 200) {
    const { code, message } = parseErrorBody(status, text)
    const found = `${key}: HTTP ${status} ${code}: ${message}; ${clocks}`
    if (code === 'header_timestamp_expired') return failed(name, found, SYNCHRONISE)
    if (status !== 401 && status !== 403) return failed(name, found, 'the venue has trouble: ask again later')
    const setting = use === 'read' ? 'kalshi.credentials_file' : 'kalshi.trading_credentials_file'
    const mend = `no key of env ${env}, or another private key: demo and prod each have their own; create one on that account's page and name it in ${setting}`
    return failed(name, found, mend)
  }
  const fits = `${key} signs as the venue wants, ${tookMs} ms; ${clocks}`
  const slow = keyWarning(credentials)
  if (slow !== undefined) return warning(name, `${fits}; ${slow}`, 'create an Ed25519 or RSA-2048 key')
  const isOff = skew !== undefined && Math.abs(skew) > MOST_SKEW_MS
  return isOff ? warning(name, fits, SYNCHRONISE) : ok(name, fits)
}
