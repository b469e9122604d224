/** What each command exits with and prints: for a success, and for each way in which it fails. */

import { EXIT } from '../../src/lib/core/errors.js'

const { OK, FAILED, USAGE, UNHEALTHY, CONFIG, TIMEOUT, UNREACHABLE, REFUSED, INTEGRITY } = EXIT

/** What stdout carries: one JSON document, JSON lines, lines for another program, or nothing. */
type Shape = 'document' | 'lines' | 'text' | 'empty'
export type Environment = Readonly<Record<string, string>>
/**
 * What is typed behind `arbees`, the exit code, what stdout carries or the code of the error, and what is set. Run under
 * `--json` where there is one, usage and config errors without it too.
 */
export type Row = readonly [
  words: string,
  exit: number,
  told: Shape | Uppercase<string>,
  environment?: Environment,
]

const NO_REDIS = 'redis://127.0.0.1:1'
const KEY = 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID'
const ID = '49cbd3682177e540'

/** Commands that need arguments, and those that end only when they are told to. */
export const LEAST: Readonly<Record<string, string>> = {
  'check role': 'check role exec',
  'config set': 'config set env sim',
  explain: `explain ${ID}`,
  'journal cat': 'journal cat kalshi.prices',
  'journal drain': 'journal drain journals',
  'keys allow': 'keys allow kalshi KEY',
  'keys polymarket': 'keys polymarket wallet.key',
  order: 'order kalshi M --buy yes --limit 0.5 --size 1',
  record: 'record tape',
  replay: 'replay --from-redis',
  resume: 'resume --reason checked',
}
/** They read no settings; and no settings keep anybody from halting. */
export const WITHOUT_SETTINGS = new Set([
  ...['bench', 'schema', 'halt', 'examples'],
  ...['config init', 'config schema', 'config set', 'config validate'],
])
const UP = 'test/e2e/up.test.ts'
const CHECK = 'test/commands/check.test.ts'
const HALT = 'test/commands/halt.test.ts'
/** `up` exits 0 where each role that it launched ended well. */
const BY_UP = [
  UP,
  "up(['--for', '40s', '--json', '--seed', '3'])",
  'expect(await run.ended).toBe(0)',
] as const

/**
 * Where a command succeeds that needs a whole deployment, or a minute: the test, how it launches the command, and
 * behind that how it wants exit 0.
 */
export const SUCCEEDS_IN: Readonly<Record<string, readonly [file: string, launch: string, success: string]>> =
  {
    bench: ['test/commands/bench.test.ts', "launch(['bench', '--rounds'", 'expect(await run.ended).toBe(0)'],
    'check halt': [CHECK, "['halt'], ['redis']", '.toEqual([0, 3, 0, 1, 0])'],
    'check mirror': [CHECK, "run(['check', 'mirror', ...LIMITS", '.toEqual([0, 0])'],
    'check role': [CHECK, "[['role', 'kalshi'], ", '.toEqual([0, 3, 0, 1, 0])'],
    explain: [
      'test/e2e/explain.test.ts',
      "arbees('explain', id, '--json')",
      'expect(redisAnswer.code).toBe(0)',
    ],
    halt: [HALT, "run<HaltReport>(['halt', ...args]", 'expect(halted.code).toBe(0)'],
    'journal rerun': [
      'test/lib/roles/shard-rerun.test.ts',
      "launch(['journal', 'rerun', ...args",
      'toMatchObject([0, { shard: 0, ok: true',
    ],
    'keys polymarket': [
      'test/lib/operator/polymarket-key.test.ts',
      "launch(['keys', 'polymarket', ",
      'expect(await run.ended, run.stderr()).toBe(0)',
    ],
    order: ['test/e2e/explain.test.ts', "arbees('order', 'kalshi', ", 'toEqual([0, expect.stringContaining('],
    resume: [HALT, "run<ResumeReport>(['resume', ", "toEqual([0, 'resumed'])"],
    top: [UP, "launch(['top', '--once', '--json']", 'expect(await top.ended, top.stdout()).toBe(0)'],
    markets: [UP, "launch(['markets', '--league', ", 'expect(await markets.ended, markets.stderr()).toBe(0)'],
    games: [UP, "launch(['games', '--json']", 'expect(await games.ended, games.stderr()).toBe(0)'],
    up: BY_UP,
    exec: BY_UP,
    mirror: BY_UP,
    'monitor kalshi': BY_UP,
    'monitor polymarket': BY_UP,
    orchestrator: BY_UP,
    shard: BY_UP,
    sim: BY_UP,
  }

const NO_CLOB = { ARBEES_POLYMARKET__CLOB_URL: 'http://127.0.0.1:1' }
const DOWN = { ARBEES_REDIS_URL: NO_REDIS }

/** Nobody runs; Redis is empty. */
export const ALONE: Readonly<Record<string, readonly Row[]>> = {
  backtest: [
    ['backtest --shard first', USAGE, 'USAGE'],
    ['backtest --since 5m', USAGE, 'USAGE'],
    ['backtest --thresholds cheap', USAGE, 'BAD_NUMBERS'],
    ['backtest --latency 0,90000', USAGE, 'BAD_NUMBERS'],
    ['backtest', USAGE, 'NO_JOURNAL'],
    ['backtest --shard 0', USAGE, 'NO_INPUTS'],
    ['backtest --from-file nofile', USAGE, 'NO_RECORDING'],
    ['backtest --from-journal journals --out broken.yaml', USAGE, 'FILE_EXISTS'],
    ['backtest --from-redis', UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    ['backtest --from-redis', TIMEOUT, 'document'],
    ['backtest --data-dir inputs', TIMEOUT, 'document'],
    ['backtest --data-dir inputs --diff', INTEGRITY, 'document'],
    ['backtest --from-journal journals', OK, 'document'],
  ],
  bench: [
    ['bench nosuch', USAGE, 'USAGE'],
    ['bench --rounds 0', USAGE, 'USAGE'],
    ['bench --fail-if fast', USAGE, 'BAD_THRESHOLD'],
    ['bench --baseline nofile', USAGE, 'BAD_BASELINE'],
    ['bench --save nofolder/file', USAGE, 'CANNOT_SAVE'],
    ['bench --csv --json', USAGE, 'USAGE'],
  ],
  'check clock': [
    ['check clock --warn soon', USAGE, 'BAD_DURATION'],
    ['check clock', UNREACHABLE, 'document', DOWN],
  ],
  'check halt': [
    ['check halt --format xml', USAGE, 'USAGE'],
    ['check halt', UNHEALTHY, 'document'],
  ],
  'check ledger': [
    ['check ledger --free-warn much', USAGE, 'BAD_SIZE'],
    ['check ledger --warn 2m', USAGE, 'BAD_THRESHOLDS'],
    ['check ledger', UNHEALTHY, 'document'],
    ['check ledger', OK, 'document', { ARBEES_ENV: 'demo', ARBEES_DATA_DIR: 'ledger' }],
  ],
  'check mirror': [
    ['check mirror --warn soon', USAGE, 'BAD_DURATION'],
    ['check mirror', UNREACHABLE, 'document', DOWN],
  ],
  'check redis': [['check redis', UNREACHABLE, 'document', DOWN]],
  'check role': [
    ['check role', USAGE, 'USAGE'],
    ['check role nobody', USAGE, 'UNKNOWN_ROLE'],
    ['check role exec', UNHEALTHY, 'document'],
  ],
  'config init': [
    ['config init --file new.yaml', OK, 'document'],
    ['config init --file new.yaml', CONFIG, 'CONFIG_EXISTS'],
    ['config init --file /dev/null/x.yaml', CONFIG, 'CONFIG_NOT_WRITTEN'],
  ],
  'config schema': [['config schema', OK, 'document']],
  'config set': [
    ['config set limits.order_usd', USAGE, 'USAGE'],
    ['config set limits.oder_usd 5 -c set.yaml', USAGE, 'UNKNOWN_SETTING'],
    ['config set limits.order_usd much -c set.yaml', USAGE, 'BAD_CONFIG'],
    ['config set redis_url redis://:pw@127.0.0.1:1 -c set.yaml', USAGE, 'SECRET_IN_FLAG'],
    ['config set env prod -c set.yaml --profile ../prod', USAGE, 'BAD_PROFILE'],
    ['config set limits.order_usd 5 -c broken.yaml', CONFIG, 'BAD_CONFIG'],
    ['config set limits.order_usd 5 -c set.yaml', OK, 'document'],
  ],
  'config show': [
    ['config show --origin nowhere', USAGE, 'USAGE'],
    ['config show --profile prod', CONFIG, 'NO_CONFIG'],
    ['config show', OK, 'document'],
  ],
  'config validate': [
    ['config validate nofile.yaml', CONFIG, 'NO_CONFIG'],
    ['config validate unknown.yaml', CONFIG, 'document'],
    ['config validate -c empty.yaml', OK, 'document'],
  ],
  doctor: [
    ['doctor', UNHEALTHY, 'document', DOWN],
    ['doctor', OK, 'document'],
  ],
  examples: [
    ['examples nosuch', USAGE, 'UNKNOWN_COMMAND'],
    ['examples journal', OK, 'document'],
  ],
  exec: [
    ['exec', CONFIG, 'empty'],
    ['exec', REFUSED, 'empty', { ARBEES_ENV: 'demo', ARBEES_DATA_DIR: 'ledger' }],
    ['exec --data-dir /dev/null/x --env demo', FAILED, 'empty'],
    ['exec', CONFIG, 'empty', { ARBEES_EPOCH_FLOOR: 'soon' }],
  ],
  explain: [
    ['explain', USAGE, 'USAGE'],
    [`explain ${ID} --from-journal nofolder`, USAGE, 'NO_JOURNAL'],
    [`explain nothing --from-journal journals`, TIMEOUT, 'UNKNOWN_ID'],
    [`explain ${ID}`, UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    [`explain ${ID}`, TIMEOUT, 'UNKNOWN_ID'],
  ],
  games: [
    ['games --league curling', USAGE, 'BAD_LEAGUE'],
    ['games --since 5m', USAGE, 'USAGE'],
    ['games --score --from-file nofile', USAGE, 'NO_RECORDING'],
    ['games --score --from-journal', USAGE, 'NO_JOURNAL'],
    ['games --score', UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    ['games --score', TIMEOUT, 'document'],
    ['games', UNHEALTHY, 'NO_GAMES'],
  ],
  halt: [
    ['halt --all --data-dir /dev/null/x', UNREACHABLE, 'document', DOWN],
    ['halt -c broken.yaml', UNHEALTHY, 'document'],
    ['halt', UNHEALTHY, 'document', { ARBEES_LOG_LEVEL: 'loud', ARBEES_NOSUCH: '1' }],
  ],
  'journal cat': [
    ['journal cat', USAGE, 'USAGE'],
    ['journal cat kalshi.prices', USAGE, 'NO_JOURNAL'],
    ['journal cat broken.yaml', USAGE, 'NO_JOURNAL'],
    ['journal cat journals/poly.prices --epoch 7', TIMEOUT, 'empty'],
    ['journal cat damaged/poly.prices', INTEGRITY, 'lines'],
    ['journal cat journals/poly.prices --count 2', OK, 'lines'],
  ],
  'journal drain': [
    ['journal drain', USAGE, 'USAGE'],
    ['journal drain nofolder', USAGE, 'NO_JOURNAL'],
    ['journal drain journals', UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    ['journal drain held', REFUSED, 'JOURNAL_LOCKED'],
    ['journal drain damaged', INTEGRITY, 'document'],
    ['journal drain journals', OK, 'document'],
  ],
  'journal ls': [
    ['journal ls nofolder', USAGE, 'NO_JOURNAL'],
    ['journal ls broken.yaml', USAGE, 'NO_JOURNAL'],
    ['journal ls journals', OK, 'document'],
  ],
  'journal rerun': [
    ['journal rerun first', USAGE, 'USAGE'],
    ['journal rerun', USAGE, 'NO_INPUTS'],
    ['journal rerun --data-dir inputs', INTEGRITY, 'document'],
  ],
  'journal verify': [
    ['journal verify nofolder', USAGE, 'NO_JOURNAL'],
    ['journal verify broken.yaml', USAGE, 'NO_JOURNAL'],
    ['journal verify damaged', INTEGRITY, 'document'],
    ['journal verify journals', OK, 'document'],
  ],
  'keys allow': [
    ['keys allow kalshi', USAGE, 'USAGE'],
    ['keys allow kalshi KEY', USAGE, 'BAD_KEY'],
    [`keys allow kalshi ${KEY} --keys-dir allowed`, OK, 'document'],
    [`keys allow kalshi ${KEY.toLowerCase()} --keys-dir allowed`, REFUSED, 'KEY_PINNED'],
  ],
  'keys generate': [
    ['keys generate ../kalshi', USAGE, 'BAD_KEY_NAME'],
    ['keys generate --keys-dir /dev/null/x', CONFIG, 'KEY_NOT_WRITTEN'],
    ['keys generate --keys-dir keys', OK, 'document'],
    ['keys generate kalshi --keys-dir keys', REFUSED, 'KEY_EXISTS'],
  ],
  'keys polymarket': [
    ['keys polymarket', USAGE, 'USAGE'],
    ['keys polymarket wallet.key', USAGE, 'USAGE'],
    ['keys polymarket wallet.key --out poly.json --signature-type 4', USAGE, 'USAGE'],
    ['keys polymarket wallet.key --out poly.json --signature-type 3', USAGE, 'USAGE'],
    ['keys polymarket nofile --out poly.json', CONFIG, 'KEY_FILE'],
    ['keys polymarket wallet.key --out wallet.key', REFUSED, 'KEY_EXISTS'],
    ['keys polymarket wallet.key --out poly.json', UNREACHABLE, 'VENUE_UNREACHABLE', NO_CLOB],
  ],
  'keys show': [
    ['keys show', CONFIG, 'NO_KEY'],
    ['keys show --keys-dir keys', OK, 'document'],
  ],
  latency: [
    ['latency prices.*.x', USAGE, 'BAD_PREFIX'],
    ['latency --assert fast', USAGE, 'BAD_ASSERT'],
    ['latency --compare nofile', USAGE, 'BAD_COMPARE'],
    ['latency --csv --json', USAGE, 'USAGE'],
    ['latency --for 100ms', TIMEOUT, 'document'],
  ],
  mirror: [['mirror', CONFIG, 'empty', { ARBEES_REDIS_URL: 'nonsense' }]],
  'monitor kalshi': [
    ['monitor kalshi', CONFIG, 'empty'],
    ['monitor kalshi --env prod', CONFIG, 'empty'],
    ['monitor kalshi --metrics-port 99999', CONFIG, 'empty'],
    ['monitor kalshi', CONFIG, 'empty', { ARBEES_KEYS_DIR: 'nokeys' }],
  ],
  'monitor polymarket': [['monitor polymarket --data-dir /dev/null/x', CONFIG, 'empty']],
  order: [
    ['order kalshi M --limit 0.5 --size 1', USAGE, 'USAGE'],
    ['order kalshi M --buy yes --sell no --limit 0.5 --size 1', USAGE, 'USAGE'],
    ['order kalshi M --buy yes --limit 57c --size 1', USAGE, 'USAGE'],
    ['order kalshi M --buy yes --limit 57 --size 1', USAGE, 'BAD_LIMIT'],
    ['order kalshi M --buy yes --limit 0.5 --size 0', USAGE, 'BAD_SIZE'],
    ['order kalshi "M N" --buy yes --limit 0.5 --size 1', USAGE, 'BAD_MARKET'],
    ['order kalshi M --buy yes --limit 0.5 --size 1 --env prod', CONFIG, 'NO_SIGNAL_KEY'],
    ['order kalshi M --buy yes --limit 0.5 --size 1 --yes', UNHEALTHY, 'NO_EXEC'],
  ],
  orchestrator: [['orchestrator --leagues cricket', CONFIG, 'empty']],
  record: [
    ['record', USAGE, 'USAGE'],
    ['record tape -n 0', USAGE, 'USAGE'],
    ['record /dev/null/x --for 10ms', CONFIG, 'RECORDING_UNUSABLE'],
    ['record tape --for 100ms', TIMEOUT, 'document'],
  ],
  'redis acl': [
    ['redis acl', CONFIG, 'BAD_CONFIG', { ARBEES_REDIS_PUBLISH: 'maybe' }],
    ['redis acl', OK, 'document'],
  ],
  replay: [
    ['replay', USAGE, 'USAGE'],
    ['replay --from-redis --from-journal', USAGE, 'USAGE'],
    ['replay --from-redis nosuch:stream', USAGE, 'UNKNOWN_STREAM'],
    ['replay --from-redis --start-id first', USAGE, 'BAD_STREAM_ID'],
    ['replay --from-journal --since tomorrow', USAGE, 'BAD_TIME'],
    ['replay --from-journal --speed 0', USAGE, 'BAD_SPEED'],
    ['replay --from-journal --step', USAGE, 'NO_TERMINAL'],
    ['replay --from-journal', USAGE, 'NO_JOURNAL'],
    ['replay --from-file nofile', USAGE, 'NO_RECORDING'],
    ['replay --from-file broken.yaml', INTEGRITY, 'ILLEGIBLE_RECORDING'],
    ['replay --from-redis', UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    ['replay --from-redis --env prod', TIMEOUT, 'empty'],
    ['replay --from-journal journals --until 2001-01-01', TIMEOUT, 'empty'],
    ['replay --from-journal damaged --speed max', INTEGRITY, 'lines'],
    ['replay --from-journal journals --speed max', OK, 'lines'],
    ['replay --from-journal journals --speed max --to-file copy', OK, 'document'],
  ],
  resume: [
    ['resume', USAGE, 'USAGE'],
    ['resume --reason " "', USAGE, 'NO_REASON'],
    ['resume --reason checked --data-dir nofolder', CONFIG, 'NO_DATA_DIR'],
    ['resume --reason checked --data-dir halted', UNHEALTHY, 'document'],
    ['resume --reason checked --data-dir halted --env prod', REFUSED, 'document'],
    ['resume --reason checked --data-dir idle', UNHEALTHY, 'document'],
  ],
  schema: [
    ['schema nosuch', USAGE, 'UNKNOWN_SCHEMA'],
    ['schema prices', OK, 'document'],
  ],
  shard: [
    ['shard --index 100', USAGE, 'empty'],
    ['shard --index 3', USAGE, 'empty'],
    ['shard', CONFIG, 'empty', { ARBEES_SHARDS: 'many' }],
    ['shard', CONFIG, 'empty', { ARBEES_REDIS_PUBLISH: 'maybe' }],
  ],
  markets: [
    ['markets polymarket --status closed', USAGE, 'USAGE'],
    ['markets polymarket --league nba', UNREACHABLE, 'VENUE_UNREACHABLE'],
    ['markets --event X --status open', USAGE, 'USAGE'],
    ['markets', CONFIG, 'BAD_CONFIG', { ARBEES_LEAGUES: 'curling' }],
    ['markets --league nba', UNREACHABLE, 'KALSHI_UNREACHABLE'],
  ],
  sim: [
    ['sim --seed -1', USAGE, 'empty'],
    ['sim --tape nofile', CONFIG, 'empty'],
    ['sim', CONFIG, 'empty', { ARBEES_KALSHI__REST_URL: 'http://127.0.0.1:1/trade-api/v2' }],
  ],
  status: [
    ['status --for 1s', USAGE, 'USAGE'],
    ['status', UNHEALTHY, 'document'],
    ['status --no-fail', OK, 'document'],
    ['status --watch --for 100ms', UNHEALTHY, 'lines'],
  ],
  tap: [
    ['tap prices.*.x', USAGE, 'BAD_PREFIX'],
    ['tap --where ((', USAGE, 'BAD_WHERE'],
    ['tap --fields ,', USAGE, 'BAD_FIELDS'],
    ['tap --since yesterday', USAGE, 'BAD_TIME'],
    ['tap --for 1000h', USAGE, 'BAD_DURATION'],
    ['tap health. --last 1', USAGE, 'NO_PAST'],
    ['tap signals. --snapshot', USAGE, 'NO_SNAPSHOT'],
    ['tap --record broken.yaml', USAGE, 'FILE_EXISTS'],
    ['tap --for 100ms', TIMEOUT, 'empty'],
    ['tap --from redis --for 100ms', TIMEOUT, 'empty'],
    ['tap --from redis --for 100ms', UNREACHABLE, 'empty', DOWN],
    ['tap --since 5m --for 100ms', UNREACHABLE, 'REDIS_UNREACHABLE', DOWN],
    ['tap --snapshot', UNREACHABLE, 'empty'],
  ],
  top: [
    ['top --every now', USAGE, 'BAD_DURATION'],
    ['top --once', UNHEALTHY, 'document'],
  ],
  topics: [
    ['topics prices.*.x', USAGE, 'BAD_PREFIX'],
    ['topics --for 100ms', TIMEOUT, 'document'],
  ],
  up: [
    ['up --shards 0', USAGE, 'USAGE'],
    [`up --redis-url redis://:pw@127.0.0.1:1`, USAGE, 'SECRET_IN_FLAG'],
    ['up', CONFIG, 'BAD_CONFIG', { ARBEES_SHARDS: 'many' }],
    [`up --for 1s --redis-url ${NO_REDIS}`, UNREACHABLE, 'REDIS_UNREACHABLE'],
  ],
}

/** As they are: without `--json`, in a pipe. */
export const IN_A_PIPE: readonly Row[] = [
  ['check halt --format nagios', 3, 'text'],
  ['check role nobody --format json', USAGE, 'document'],
  ['config schema', OK, 'document'],
  ['config show', OK, 'document'],
  ['config validate broken.yaml', CONFIG, 'document'],
  ['examples stop', OK, 'lines'],
  [`explain ${ID} --from-journal journals`, TIMEOUT, 'UNKNOWN_ID'],
  ['journal cat journals/poly.prices', OK, 'lines'],
  ['journal ls journals', OK, 'document'],
  ['journal rerun --data-dir inputs', INTEGRITY, 'document'],
  ['journal verify damaged', INTEGRITY, 'document'],
  ['keys generate --keys-dir others', OK, 'document'],
  ['keys generate --keys-dir others', REFUSED, 'KEY_EXISTS'],
  ['keys show --keys-dir others', OK, 'document'],
  ['latency --for 100ms --csv', TIMEOUT, 'text'],
  ['record tape --for 100ms', TIMEOUT, 'empty'],
  // For redis-cli.
  ['redis acl', OK, 'text'],
  ['replay --from-journal journals --speed max', OK, 'lines'],
  // For a shell's loop.
  ['schema', OK, 'text'],
  ['schema games', OK, 'document'],
  ['status', UNHEALTHY, 'document'],
  ['tap --for 100ms', TIMEOUT, 'empty'],
]

/** The Polymarket monitor publishes, and Redis answers. */
export const AMONG_OTHERS: readonly Row[] = [
  ['tap prices. -n 2', OK, 'lines'],
  ['tap prices.poly. --snapshot', OK, 'lines'],
  ['topics prices. --for 100ms', OK, 'document'],
  ['latency prices. --for 300ms', OK, 'document'],
  ['latency prices. --for 300ms --assert p99<1us', UNHEALTHY, 'document'],
  ['record recorded -n 2', OK, 'document'],
  ['check redis', OK, 'document'],
  ['check clock', OK, 'document'],
  ['monitor polymarket', FAILED, 'empty'],
]

/** Interrupted as soon as something is on stdout. */
export const INTERRUPTED: readonly Row[] = [
  ['latency prices. --history --interval 100ms', OK, 'lines'],
  ['status --watch --no-fail', OK, 'lines'],
  ['top --every 100ms', UNHEALTHY, 'lines'],
]

export const NO_COMMANDS: readonly Row[] = [
  ['nosuch', 127, 'NO_SUCH_COMMAND'],
  ['nosuch --json', 127, 'NO_SUCH_COMMAND'],
  ['check nosuch --json', 127, 'NO_SUCH_COMMAND'],
  ['stat --json', 127, 'NO_SUCH_COMMAND'],
]
