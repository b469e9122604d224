/** `keys polymarket`: from a wallet's key to the file that exec trades with. No secret leaves it but into that file. */

import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { assertPrivateFile } from '../core/secrets.js'
import { obtainApiCredentials } from '../venues/polymarket/api-credentials.js'
import {
  addressOf,
  checksumAddress,
  loadPolymarketCredentials,
  parsePrivateKey,
  type SignatureType,
} from '../venues/polymarket/auth.js'
import { requireServedRegion } from '../venues/polymarket/region.js'
import { venueUrls } from '../venues/urls.js'

export interface PolymarketKeyRequest {
  readonly settings: Settings
  readonly clock: Clock
  /** File of the wallet's private key, 64 hex digits. */
  readonly keyFile: string
  /** What to write; empty: what `polymarket.credentials_file` names. */
  readonly out: string
  /** The wallet that pays, where it is not the key's own address. */
  readonly funder: string | undefined
  readonly signatureType: SignatureType
  readonly force: boolean
}

export interface PolymarketKeyReport {
  readonly file: string
  readonly clob: string
  /** Of the key that signs. */
  readonly address: string
  /** The wallet that pays: an order's maker. */
  readonly funder: string
  readonly signature_type: SignatureType
  readonly api_credentials: 'derived' | 'created'
}

/**
 * Asks the venue for API credentials and writes the file, mode 0600. Throws `USAGE`, `KEY_FILE`, `KEY_EXISTS` (exit REFUSED)
 * and `OPEN_SECRET` before anybody is asked, then what `requireServedRegion` and `obtainApiCredentials` throw.
 */
export async function makePolymarketKey(request: PolymarketKeyRequest): Promise<PolymarketKeyReport> {
  const { settings, clock, signatureType, force } = request
  const file = resolve(request.out === '' ? targetOf(settings) : request.out)
  if (existsSync(file) && !force) throw taken(file)
  const { hex, privateKey } = readWalletKey(request.keyFile)
  const address = addressOf(privateKey)
  const funder = funderOf(request, address)
  const { clob, geoblock } = venueUrls(settings)
  await requireServedRegion(geoblock)
  const { how, apiKey, secret, passphrase } = await obtainApiCredentials({ restUrl: clob, privateKey, clock })
  const content = {
    private_key: hex,
    api_key: apiKey,
    secret,
    passphrase,
    ...(signatureType === 0 ? {} : { funder }),
    signature_type: signatureType,
  }
  writeSecret(file, `${JSON.stringify(content, null, 2)}\n`, force)
  return { file, clob, address, funder, signature_type: signatureType, api_credentials: how }
}

function targetOf(settings: Settings): string {
  const file = settings['polymarket.credentials_file']
  if (file !== '') return file
  throw new ArbeesError('USAGE', 'no file to write to', {
    exit: EXIT.USAGE,
    hint: 'say --out FILE, or set polymarket.credentials_file',
  })
}

function funderOf({ funder, signatureType }: PolymarketKeyRequest, address: string): string {
  const usage = (message: string, hint: string) =>
    new ArbeesError('USAGE', message, { exit: EXIT.USAGE, hint })
  if (funder === undefined) {
    if (signatureType === 0) return address
    throw usage(`signature type ${signatureType} pays from another wallet`, 'say which: --funder 0x…')
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(funder))
    throw usage(`'${funder}' is not an address`, 'as in --funder 0x1234…')
  if (signatureType !== 0) return checksumAddress(funder)
  throw usage(
    'signature type 0 pays from the address of the key itself',
    'with --funder say --signature-type too: 1 (e-mail account), 2 (browser wallet) or 3 (deposit wallet)',
  )
}

function readWalletKey(path: string): { readonly hex: string; readonly privateKey: Uint8Array } {
  let hex: string
  try {
    assertPrivateFile(path)
    hex = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof ArbeesError) throw error
    throw new ArbeesError('KEY_FILE', `cannot read the wallet's key: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
    })
  }
  const privateKey = parsePrivateKey(hex)
  if (privateKey !== undefined) return { hex, privateKey }
  throw new ArbeesError('KEY_FILE', `${path} is not a private key of 64 hex digits`, {
    exit: EXIT.CONFIG,
    hint: 'export the key of the wallet that signs, and write it, alone, to a file of mode 0600',
  })
}

/** Whole or not at all, read back before it takes its place, and over nothing that is there unless forced. */
function writeSecret(file: string, text: string, force: boolean): void {
  const draft = `${file}.${process.pid}.new`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    loadPolymarketCredentials({ path: draft })
    if (force) renameSync(draft, file)
    else linkSync(draft, file)
  } catch (error) {
    if (error instanceof ArbeesError) throw error
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(file)
    throw new ArbeesError('KEY_NOT_WRITTEN', `cannot write ${file}: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      hint: 'run it again with another --out: the venue gives the same credentials',
    })
  } finally {
    if (existsSync(draft)) rmSync(draft)
  }
}

const taken = (file: string): ArbeesError =>
  new ArbeesError('KEY_EXISTS', `${file} is there already`, {
    exit: EXIT.REFUSED,
    hint: 'give another --out, or say --force to replace it',
  })
