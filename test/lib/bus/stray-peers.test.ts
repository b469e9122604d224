import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** How the child ended: its exit code, or the signal. */
async function endOf(kind: 'ours' | 'plain'): Promise<unknown> {
  const child = spawn(
    process.execPath,
    ['--import', here('../run-typescript.mjs'), here('stray-peers-child.ts'), kind],
    { stdio: 'ignore' },
  )
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return code ?? signal
}

describe('a publisher that closes while peers that speak no ZeroMQ are at its sockets', () => {
  it('closes', async () => {
    expect(await endOf('ours')).toBe(0)
  })

  it('dies of an assertion in libzmq where sockets are as the library makes them', async () => {
    expect(await endOf('plain')).toBe('SIGABRT')
  })
})
