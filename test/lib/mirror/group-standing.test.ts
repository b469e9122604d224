import { describe, expect, it } from 'vitest'
import { standingOf } from '../../../src/lib/mirror/group-standing.js'
import type { GroupPlace, StreamWindow } from '../../../src/lib/mirror/group-standing.js'

const full: StreamWindow = { maxLength: 1_000, length: 1_050, firstId: '500-3', added: 9_050 }
const place: GroupPlace = { deliveredId: '700-0', pendingId: undefined, read: 9_000, lag: 50 }

describe('a consumer group', () => {
  it.each<[string, Partial<StreamWindow>, Partial<GroupPlace>, number, string, number]>([
    ['that keeps up is fine', {}, {}, 1_000, 'ok', 5],
    ['just before a fifth is left is fine', {}, {}, 251, 'ok', 79],
    ['with a fifth left is close', {}, {}, 250, 'close', 80],
    ['that has read nothing of a full stream is close', {}, {}, 0, 'close', 100],
    ['that has read nothing of a stream with room is fine', { length: 700 }, {}, 0, 'ok', 70],
    ['that is overtaken has lost', {}, { read: 7_999, lag: 1_051 }, 0, 'lost', 100],
    ['that needs the oldest entry has lost nothing yet', {}, { read: 8_000 }, 0, 'close', 100],
    ['whose oldest pending entry is gone has lost', {}, { pendingId: '500-2' }, 800, 'lost', 100],
    ['whose ids have more digits is compared as numbers', {}, { pendingId: '1000-0' }, 800, 'ok', 25],
    ['with something pending in an empty stream has lost', { length: 0, firstId: undefined }, { pendingId: '1-0' }, 0, 'lost', 100], // prettier-ignore
    ['of Redis 6, which counts nothing, is close at worst', { added: undefined }, { read: undefined, lag: undefined }, 0, 'close', 100], // prettier-ignore
  ])('%s', (_, window, group, passed, state, percent) => {
    expect(standingOf({ ...full, ...window }, { ...place, ...group }, passed)).toEqual({ state, percent })
  })
})
