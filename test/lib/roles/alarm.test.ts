import { describe, expect, it } from 'vitest'
import { Alarm } from '../../../src/lib/roles/alarm.js'

const HOUR_MS = 3_600_000

/** Sleeps, and tells whether the sleep is over. */
function sleeper(alarm: Alarm, ms: number) {
  const end = new AbortController()
  const state = { awake: false, end }
  const done = alarm.sleep(ms, end.signal).then(() => {
    state.awake = true
  })
  return { state, done }
}

describe('an alarm', () => {
  it('wakes a long sleeper within the time asked', async () => {
    const alarm = new Alarm()
    const { done } = sleeper(alarm, HOUR_MS)
    alarm.ringWithin(20)
    await done
  })

  it('is not put off by a later, longer wish', async () => {
    const alarm = new Alarm()
    const { done } = sleeper(alarm, HOUR_MS)
    alarm.ringWithin(20)
    alarm.ringWithin(HOUR_MS / 2)
    await done
  })

  it('rings sooner when a later wish is shorter', async () => {
    const alarm = new Alarm()
    const { done } = sleeper(alarm, HOUR_MS)
    alarm.ringWithin(HOUR_MS / 2)
    alarm.ringWithin(20)
    await done
  })

  it('does not wake the next sleep for a wish of the one before', async () => {
    const alarm = new Alarm()
    const first = sleeper(alarm, HOUR_MS)
    alarm.ringWithin(60)
    first.state.end.abort()
    await first.done
    const second = sleeper(alarm, HOUR_MS)
    // Two timers of the same clock: when the later one fires, the earlier one has.
    await new Promise((resolve) => setTimeout(resolve, 90))
    expect(second.state.awake).toBe(false)
    second.state.end.abort()
    await second.done
  })

  it('has no one to wake when nobody sleeps', async () => {
    const alarm = new Alarm()
    alarm.ringWithin(1)
    const { state, done } = sleeper(alarm, 40)
    expect(state.awake).toBe(false)
    await done
  })

  it('ends a sleep with its signal', async () => {
    const { state, done } = sleeper(new Alarm(), HOUR_MS)
    state.end.abort()
    await done
    expect(state.awake).toBe(true)
  })
})
