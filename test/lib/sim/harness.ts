/** A running simulator and small clients of the tests' own: their signing shares no code with the simulator. */

import { constants, createHash, createHmac, sign } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { WebSocket } from 'ws'
import { createSimAccounts } from '../../../src/lib/sim/accounts.js'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../../src/lib/sim/simulator.js'

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-return -- foreign JSON, asserted by field */
export type Json = any

export interface Wallet {
  readonly private_key: string
  readonly api_key: string
  readonly secret: string
  readonly passphrase: string
  readonly funder: string
  readonly signature_type: number
}

export interface KalshiKey {
  readonly id: string
  readonly pem: string
}

export interface Bench {
  readonly sim: Simulator
  readonly dir: string
  readonly read: KalshiKey
  readonly trade: KalshiKey
  /** May write too, for another account. */
  readonly rival: KalshiKey
  readonly wallet: Wallet
  close(): Promise<void>
}

const readJson = async (file: string): Promise<Json> => JSON.parse(await readFile(file, 'utf8'))

export async function startBench(
  options: Partial<SimulatorOptions> = {},
  usageTier = 'basic',
): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'sim-'))
  const accounts = await createSimAccounts(dir)
  const known = await readJson(join(dir, 'public.json'))
  const rival = { ...known.kalshi.keys[1], key_id: 'rival', account: 'rival' }
  known.kalshi = { usage_tier: usageTier, keys: [...known.kalshi.keys, rival] }
  await writeFile(join(dir, 'public.json'), JSON.stringify(known))
  const sim = await startSimulator({
    seed: 1,
    speed: 1,
    ports: { kalshi: 0, poly: 0, gamma: 0, espn: 0 },
    accountsDir: dir,
    onNotice: () => undefined,
    ...options,
  })
  const monitor = await readJson(accounts.monitorFile)
  const exec = await readJson(accounts.execFile)
  const trade = await readFile(String(exec.kalshi.key_file), 'utf8')
  const key = async (entry: Json): Promise<KalshiKey> => ({
    id: entry.key_id,
    pem: await readFile(String(entry.key_file), 'utf8'),
  })
  return {
    sim,
    dir,
    read: await key(monitor.kalshi),
    trade: { id: exec.kalshi.key_id, pem: trade },
    rival: { id: 'rival', pem: trade },
    wallet: await readJson(String(exec.polymarket.key_file)),
    close: async () => {
      await sim.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Polls until the probe gives something; fails after the deadline. */
export async function until<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  ms = 10_000,
): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

// --- Kalshi

export function kalshiHeaders(
  key: KalshiKey,
  method: string,
  path: string,
  timestampMs = Date.now(),
): Record<string, string> {
  const signature = sign('sha256', Buffer.from(`${timestampMs}${method}${path}`), {
    key: key.pem,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  })
  return {
    'KALSHI-ACCESS-KEY': key.id,
    'KALSHI-ACCESS-TIMESTAMP': String(timestampMs),
    'KALSHI-ACCESS-SIGNATURE': signature.toString('base64'),
  }
}

export interface Answer {
  readonly status: number
  readonly body: Json
}

export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** A signed call; `path` is after /trade-api/v2. */
export function kalshiCall(
  bench: Bench,
  method: string,
  path: string,
  body?: unknown,
  key = bench.trade,
): Promise<Answer> {
  const url = new URL(`${bench.sim.urls.kalshiRest}${path}`)
  return call(url.href, {
    method,
    headers: { ...kalshiHeaders(key, method, url.pathname), 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

export interface Connection {
  readonly socket: WebSocket
  /** Every text frame, parsed where it is JSON. */
  readonly frames: Json[]
  readonly pings: string[]
  send(message: unknown): void
  next(match: (frame: Json) => boolean, what: string): Promise<Json>
  close(): void
}

export async function connect(url: string, headers: Record<string, string> = {}): Promise<Connection> {
  const socket = new WebSocket(url, { headers })
  const frames: Json[] = []
  const pings: string[] = []
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    try {
      frames.push(JSON.parse(text))
    } catch {
      frames.push(text)
    }
  })
  socket.on('ping', (data: Buffer) => pings.push(data.toString()))
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    frames,
    pings,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next: (match, what) => until<Json>(() => frames.find(match), what),
    close: () => socket.terminate(),
  }
}

export const kalshiSocket = (bench: Bench, key = bench.read): Promise<Connection> =>
  connect(bench.sim.urls.kalshiWs, kalshiHeaders(key, 'GET', '/trade-api/ws/v2'))

/** What an upgrade request is answered with when it is refused. */
export function refusedUpgrade(url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.once('open', () => reject(new Error('the upgrade was accepted')))
    socket.once('error', () => undefined)
    socket.once('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }))
    })
  })
}

// --- Polymarket

const keccak = (...parts: Uint8Array[]) => keccak_256(Buffer.concat(parts))
const ascii = (text: string) => new Uint8Array(Buffer.from(text))
const uint = (value: bigint | number | string) =>
  Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex')

export function addressOf(privateKey: string): string {
  const publicKey = secp256k1.getPublicKey(Buffer.from(privateKey.slice(2), 'hex'), false)
  return `0x${Buffer.from(keccak(publicKey.subarray(1)).subarray(12)).toString('hex')}`
}

export const EXCHANGES = {
  standard: '0xE111180000d2663C0091e4f400237545B87B996B',
  negRisk: '0xe2222d279d744050d28e00520010520000310F59',
}

export interface OrderFields {
  salt: number
  maker: string
  signer: string
  tokenId: string
  makerAmount: string
  takerAmount: string
  side: 'BUY' | 'SELL'
  expiration: string
  signatureType: number
  timestamp: string
  metadata: string
  builder: string
}

export function orderDigest(order: OrderFields, exchange: string, version = '2'): Uint8Array {
  const type =
    'Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)'
  const domain = keccak(
    keccak(ascii('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')),
    keccak(ascii('Polymarket CTF Exchange')),
    keccak(ascii(version)),
    uint(137),
    uint(exchange),
  )
  const struct = keccak(
    keccak(ascii(type)),
    uint(order.salt),
    uint(order.maker),
    uint(order.signer),
    uint(order.tokenId),
    uint(order.makerAmount),
    uint(order.takerAmount),
    uint(order.side === 'BUY' ? 0 : 1),
    uint(order.signatureType),
    uint(order.timestamp),
    uint(order.metadata),
    uint(order.builder),
  )
  return keccak(Buffer.from('1901', 'hex'), domain, struct)
}

export function signOrder(
  order: OrderFields,
  exchange: string,
  privateKey: string,
  version?: string,
): string {
  const digest = orderDigest(order, exchange, version)
  const bytes = secp256k1.sign(digest, Buffer.from(privateKey.slice(2), 'hex'), {
    prehash: false,
    format: 'recovered',
  })
  const recovery = bytes[0] ?? 0
  return `0x${Buffer.from(bytes.subarray(1)).toString('hex')}${(27 + recovery).toString(16)}`
}

let salts = 1

export function newOrder(wallet: Wallet, fields: Partial<OrderFields>): OrderFields {
  salts += 1
  return {
    salt: salts,
    maker: wallet.funder,
    signer: addressOf(wallet.private_key),
    tokenId: '0',
    makerAmount: '0',
    takerAmount: '0',
    side: 'BUY',
    expiration: '0',
    signatureType: wallet.signature_type,
    timestamp: String(Date.now()),
    metadata: `0x${'0'.repeat(64)}`,
    builder: `0x${'0'.repeat(64)}`,
    ...fields,
  }
}

export function l2Headers(
  wallet: Wallet,
  method: string,
  path: string,
  body = '',
  timestampS = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const signature = createHmac(
    'sha256',
    Buffer.from(wallet.secret.replace(/-/g, '+').replace(/_/g, '/'), 'base64'),
  )
    .update(`${timestampS}${method}${path}${body}`)
    .digest('base64')
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
  return {
    POLY_ADDRESS: addressOf(wallet.private_key),
    POLY_SIGNATURE: signature,
    POLY_TIMESTAMP: String(timestampS),
    POLY_API_KEY: wallet.api_key,
    POLY_PASSPHRASE: wallet.passphrase,
  }
}

export function polyGet(bench: Bench, path: string): Promise<Answer> {
  const { pathname } = new URL(path, 'http://x')
  return call(`${bench.sim.urls.clob}${path}`, { headers: l2Headers(bench.wallet, 'GET', pathname) })
}

export interface PostOptions {
  readonly negRisk?: boolean
  readonly orderType?: string
  readonly owner?: string
  /** Replaces the signature, the body or the headers after they were made. */
  readonly signature?: string
  readonly tamper?: (body: string) => string
  readonly headers?: Record<string, string>
  readonly extra?: Record<string, unknown>
}

export function postOrder(bench: Bench, order: OrderFields, options: PostOptions = {}): Promise<Answer> {
  const { wallet } = bench
  const exchange = options.negRisk === true ? EXCHANGES.negRisk : EXCHANGES.standard
  const signature = options.signature ?? signOrder(order, exchange, wallet.private_key)
  const body = JSON.stringify({
    order: { ...order, signature },
    owner: options.owner ?? wallet.api_key,
    orderType: options.orderType ?? 'FAK',
    deferExec: false,
    ...options.extra,
  })
  const headers = {
    ...l2Headers(wallet, 'POST', '/order', body),
    'content-type': 'application/json',
    ...options.headers,
  }
  return call(`${bench.sim.urls.clob}/order`, {
    method: 'POST',
    headers,
    body: options.tamper?.(body) ?? body,
  })
}

/** The documented hash of a book, from its fields. */
export function bookHash(book: {
  market: string
  asset_id: string
  timestamp: string
  bids: readonly Json[]
  asks: readonly Json[]
  min_order_size: string
  tick_size: string
  neg_risk: boolean
  last_trade_price: string
}): string {
  const level = ({ price, size }: Json) => `{"price":"${price}","size":"${size}"}`
  const text =
    `{"market":"${book.market}","asset_id":"${book.asset_id}","timestamp":"${book.timestamp}","hash":"",` +
    `"bids":[${book.bids.map(level).join(',')}],"asks":[${book.asks.map(level).join(',')}],` +
    `"min_order_size":"${book.min_order_size}","tick_size":"${book.tick_size}","neg_risk":${book.neg_risk},` +
    `"last_trade_price":"${book.last_trade_price}"}`
  return createHash('sha1').update(text).digest('hex')
}
