import { describe, expect, it } from 'vitest'
import { KeyPresses } from '../../../src/lib/operator/key-presses.js'
import { FakeKeyboard } from '../view/fake-keyboard.js'

function press() {
  const keyboard = new FakeKeyboard()
  const keys = new KeyPresses(keyboard.asInput)
  const stop = new AbortController()
  return { keyboard, keys, stop, next: () => keys.next(stop.signal) }
}

describe('keys as steps', () => {
  it('are one step each, also those pressed before anybody waited', async () => {
    const { keyboard, keys, next } = press()
    keyboard.write('ab')
    expect([await next(), await next()]).toEqual([true, true])
    const waiting = next()
    keyboard.write(' ')
    expect(await waiting).toBe(true)
    keys.close()
  })

  it.each(['q', '\u0003', '\u0004'])('end with %j at once', async (key) => {
    const { keyboard, keys, next } = press()
    keyboard.write('xx')
    keyboard.write(key)
    await new Promise((resolve) => setImmediate(resolve))
    expect(await next()).toBe(false)
    keys.close()
  })

  it('are one step also where a key sends several bytes', async () => {
    const { keyboard, keys, next, stop } = press()
    keyboard.write('\u001b[B')
    expect(await next()).toBe(true)
    const waiting = next()
    stop.abort()
    expect(await waiting).toBe(false)
    keys.close()
  })

  it('give the terminal back as it was', () => {
    const { keyboard, keys } = press()
    keys.close()
    expect(keyboard.modes).toEqual([true, false])
  })
})
