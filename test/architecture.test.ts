import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The import table: which rooms of `src/lib` a room may import, beside itself. Imports point one way.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  model: ['core'],
  messages: ['core', 'model'],
  telemetry: ['core'],
  bus: ['core', 'model', 'messages', 'telemetry'],
  redis: ['core', 'model', 'messages', 'telemetry'],
  mirror: ['core', 'model', 'messages', 'telemetry', 'bus', 'redis'],
  history: ['core', 'model', 'messages', 'telemetry', 'bus', 'redis'],
  venues: ['core', 'model'],
  games: ['core', 'model'],
  strategy: ['core', 'model'],
  risk: ['core', 'model'],
  view: ['core', 'model'],
  execution: ['core', 'model', 'risk', 'venues/ports'],
  sim: [
    'core',
    'model',
    'venues/kalshi/frames',
    'venues/kalshi/fees',
    'venues/polymarket/frames',
    'venues/polymarket/fees',
  ],
  roles: [
    'core',
    'model',
    'messages',
    'telemetry',
    'bus',
    'redis',
    'mirror',
    'history',
    'venues',
    'games',
    'strategy',
    'risk',
    'execution',
    'sim',
  ],
  operator: [
    'core',
    'model',
    'messages',
    'telemetry',
    'bus',
    'redis',
    'mirror',
    'history',
    'venues',
    'games',
    'risk',
    'execution',
    'roles',
    'view',
  ],
  // Strategy and paper depth on what was recorded, through the shard's own code and the operator's readers of the past.
  backtest: [
    'core',
    'model',
    'messages',
    'bus',
    'history',
    'games',
    'strategy',
    'execution',
    'roles',
    'operator',
    'view',
  ],
  bench: [
    'core',
    'model',
    'messages',
    'telemetry',
    'bus',
    'redis',
    'mirror',
    'history',
    'venues',
    'risk',
    'execution',
    'sim',
    'roles',
    'view',
  ],
  cli: ['core', 'roles', 'operator', 'bench'],
  commands: ['core', 'cli', 'roles', 'operator', 'bench', 'backtest', 'messages/schemas'],
}

/** Packages with one owner. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  zeromq: ['bus'],
  ioredis: ['redis'],
  pino: ['telemetry'],
  chalk: ['view'],
  'cli-table3': ['view'],
  '@oclif/core': ['cli', 'commands'],
  libsql: ['execution'],
}

const SOURCE = resolve(import.meta.dirname, '../src')
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;=]*?(?:from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

interface Import {
  readonly file: string
  readonly room: string
  readonly target: string
}

/** Path below `src`, without the `lib/`: `bus/publisher.ts`, `commands/tap.ts`. */
const place = (path: string): string => relative(SOURCE, path).replace(/^lib\//, '')
const roomOf = (path: string): string => path.split('/')[0] ?? ''

function importsOf(source: string): string[] {
  // Multi-line import lists are folded so that one pattern sees them.
  const folded = source.replace(/(import|export)\s+(type\s+)?\{[^}]*\}/g, (list) => list.replace(/\s+/g, ' '))
  return [...folded.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
}

function allImports(): Import[] {
  const files = readdirSync(SOURCE, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
  return files.flatMap((name) => {
    const path = join(SOURCE, name)
    return importsOf(readFileSync(path, 'utf8')).map((target): Import => {
      const local = target.startsWith('.')
        ? place(resolve(dirname(path), target)).replace(/\.js$/, '')
        : target
      return { file: place(path), room: roomOf(place(path)), target: local }
    })
  })
}

/** The rule that an import breaks, or undefined. */
function violation({ file, room, target }: Import): string | undefined {
  const allowed = ROOMS[room]
  if (allowed === undefined) return `${file}: room '${room}' is not in the table`
  const owner = Object.keys(OWNERS).find((name) => target === name || target.startsWith(`${name}/`))
  if (owner !== undefined)
    return OWNERS[owner]?.includes(room) === true
      ? undefined
      : `${file} imports ${owner}, which ${OWNERS[owner]?.join(', ')} owns`
  const isLocal = roomOf(target) in ROOMS && target.includes('/')
  if (!isLocal || roomOf(target) === room) return undefined
  const fits = allowed.some((name) => target === name || target.startsWith(`${name}/`))
  return fits ? undefined : `${file} imports ${target}`
}

describe('architecture', () => {
  const imports = allImports()

  it('sees the imports it is meant to judge', () => {
    expect(imports.length).toBeGreaterThan(100)
    expect(imports.some(({ file, target }) => file === 'bus/channel.ts' && target === 'messages/codec')).toBe(
      true,
    )
    expect(
      imports.some(({ file, target }) => file === 'commands/schema.ts' && target === 'messages/schemas'),
    ).toBe(true)
  })

  it('lets every room import only what stands above it', () => {
    expect(imports.map(violation).filter((found) => found !== undefined)).toEqual([])
  })

  it.each<[string, Import, string]>([
    [
      'an import that points the wrong way',
      { file: 'model/quote.ts', room: 'model', target: 'bus/publisher' },
      'model/quote.ts imports bus/publisher',
    ],
    [
      'a package used outside its room',
      { file: 'roles/shard.ts', room: 'roles', target: 'zeromq' },
      'roles/shard.ts imports zeromq, which bus owns',
    ],
    [
      'a venue client inside the simulator',
      { file: 'sim/a.ts', room: 'sim', target: 'venues/kalshi/auth' },
      'sim/a.ts imports venues/kalshi/auth',
    ],
    [
      'a room that nobody has placed',
      { file: 'utils/a.ts', room: 'utils', target: 'core/ids' },
      "utils/a.ts: room 'utils' is not in the table",
    ],
  ])('refuses %s', (_, found, message) => {
    expect(violation(found)).toBe(message)
  })

  it('has no import cycle', () => {
    const edges = new Map<string, Set<string>>()
    for (const { file, target } of imports) {
      const from = file.replace(/\.ts$/, '')
      if (!edges.has(from)) edges.set(from, new Set())
      if (target.includes('/')) edges.get(from)!.add(target)
    }
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (node: string, path: readonly string[]): void => {
      if (path.includes(node)) {
        cycles.push([...path.slice(path.indexOf(node)), node].join(' -> '))
        return
      }
      if (done.has(node)) return
      for (const next of edges.get(node) ?? []) visit(next, [...path, node])
      done.add(node)
    }
    for (const node of edges.keys()) visit(node, [])
    expect(cycles).toEqual([])
  })
})
