import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../../src/lib/core/config.js'
import { parseDotenv, readDotenv } from '../../../src/lib/core/dotenv.js'

describe('.env', () => {
  it('gives what begins with ARBEES_, as Node reads such files', () => {
    const text = [
      '# a comment',
      'POSTGRES_PASSWORD=hunter2',
      'export ARBEES_SHARDS=3   # three',
      '  ARBEES_REDIS_URL = "redis://:a#b@127.0.0.1"',
      "ARBEES_ENV='demo'\r",
      'ARBEES_SHARDS=4',
      'ARBEES_PROFILE=prod',
    ].join('\n')
    expect(parseDotenv(text, '.env')).toEqual({
      ARBEES_SHARDS: { value: '4', line: 6 },
      ARBEES_REDIS_URL: { value: 'redis://:a#b@127.0.0.1', line: 4 },
      ARBEES_ENV: { value: 'demo', line: 5 },
      ARBEES_PROFILE: { value: 'prod', line: 7 },
    })
  })

  it.each([
    [
      'a misspelled name',
      'A=1\nARBEES_LIMITS__ORDER_UDS=5\n',
      /^\.env:2: .*'ARBEES_LIMITS__ORDER_UDS'/,
      /ORDER_USD$/,
    ],
    ['a variable that is no setting', 'ARBEES_SIM_SEED=4\n', /^\.env:1: .*ARBEES_SIM_SEED/, /config show/],
    [
      'a line that swallows the next',
      'broken\nARBEES_ENV=prod\n',
      /^\.env:2: the line before ARBEES_ENV/,
      /#/,
    ],
    [
      'a name without =',
      'ARBEES_ENV=prod\nARBEES_LIMITS__ORDER_USD 5\n',
      /^\.env:2: ARBEES_LIMITS__ORDER_USD is not followed by =/,
      /NAME=value/,
    ],
    ['a colon for =', 'A=1\n  export ARBEES_ENV: demo', /^\.env:2: ARBEES_ENV is not/, /NAME=value/],
    ['a name alone', 'A=1\r\nARBEES_ENV\r\nB=2\r\n', /^\.env:2: ARBEES_ENV is not/, /NAME=value/],
    [
      'a name without = behind a quote that is never closed',
      "A='it\nARBEES_ENV demo\n",
      /^\.env:2: ARBEES_ENV is not/,
      /NAME=value/,
    ],
    [
      'a name without = behind a value of several lines',
      'A="x\ny"\nARBEES_ENV demo\n',
      /^\.env:3: ARBEES_ENV is not/,
      /NAME=value/,
    ],
  ])('refuses %s, and names the line', (_, text, message, hint) => {
    expect(() => parseDotenv(text, '.env')).toThrowError(message)
    expect(() => parseDotenv(text, '.env')).toThrowError(
      expect.objectContaining({ exit: 4, hint: expect.stringMatching(hint) as string }),
    )
  })

  it('leaves alone what others say over several lines, and comments', () => {
    const text = '# ARBEES_X\nA="one\nARBEES_ENV demo\nB=2"\nC=`\nARBEES_X\n`\nARBEES_ENV=prod\n'
    expect(parseDotenv(text, '.env')).toEqual({ ARBEES_ENV: { value: 'prod', line: 8 } })
  })

  it('comes below the environment, and above up.json and the file', () => {
    const dotenv = parseDotenv('\nARBEES_SHARDS=3\nARBEES_ENV=demo\n', '.env')
    const environment = { ARBEES_ENV: 'prod' }
    const { settings, origins } = loadSettings({ environment, dotenv, up: { shards: '2', env: 'sim' } })
    expect([settings.shards, origins.shards]).toEqual([3, '.env ARBEES_SHARDS'])
    expect([settings.env, origins.env]).toEqual(['prod', 'environment ARBEES_ENV'])
    const bad = parseDotenv('\nARBEES_SHARDS=many\n', '.env')
    expect(() => loadSettings({ dotenv: bad })).toThrowError(/shards is 'many' \(\.env:2\)/)
  })

  describe('as a file', () => {
    let dir: string
    let path: string
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'arbees-dotenv-'))
      path = join(dir, '.env')
    })
    afterEach(() => rmSync(dir, { recursive: true }))

    it('is nothing when it is not there, or a folder', () => {
      expect(readDotenv(path)).toEqual({})
      mkdirSync(path)
      expect(readDotenv(path)).toEqual({})
    })

    it('is refused when others can read a password of ours in it', () => {
      writeFileSync(path, 'ARBEES_REDIS_URL=redis://:hunter2@127.0.0.1\n')
      chmodSync(path, 0o640)
      expect(() => readDotenv(path)).toThrowError(
        expect.objectContaining({ code: 'OPEN_SECRET', exit: 4, hint: `chmod 600 ${path}` }),
      )
      chmodSync(path, 0o600)
      expect(readDotenv(path)['ARBEES_REDIS_URL']?.value).toContain('hunter2')
      writeFileSync(path, 'OTHER=redis://:hunter2@127.0.0.1\nARBEES_SHARDS=2\n')
      chmodSync(path, 0o644)
      expect(readDotenv(path)['ARBEES_SHARDS']?.value).toBe('2')
    })
  })
})
