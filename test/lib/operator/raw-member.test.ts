import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rawMember } from '../../../src/lib/operator/raw-member.js'

describe('the raw text of a member', () => {
  it.each([
    ['{"payload":{"yes_bid":0.410}}', '{"yes_bid":0.410}'],
    ['{"a":{"payload":1},"payload":{"b":"}"}}', '{"b":"}"}'],
    ['{"a":"\\"payload\\":2,","payload":[1,{"x":","}]}', '[1,{"x":","}]'],
    ['{ "payload" : 1e2 , "z":0}', '1e2'],
    ['{"payload":1,"payload":2}', '2'],
    ['{"pay\\u006coad":3}', '3'],
    ['{"payload":"a\\\\"}', '"a\\\\"'],
    ['{}', undefined],
    ['{"other":1}', undefined],
  ])('of %s is %s', (json, text) => expect(rawMember(json, 'payload')).toBe(text))

  it('is what JSON.parse reads, wherever it stands', () => {
    const key = fc.oneof(fc.constant('payload'), fc.string())
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.jsonValue())), fc.nat(3), (members, indent) => {
        const object = Object.fromEntries(members.filter(([name]) => name !== '__proto__'))
        const raw = rawMember(JSON.stringify(object, null, indent), 'payload')
        const value = Object.hasOwn(object, 'payload') ? JSON.stringify(object['payload']) : undefined
        expect(raw === undefined ? undefined : JSON.stringify(JSON.parse(raw))).toBe(value)
      }),
    )
  })
})
