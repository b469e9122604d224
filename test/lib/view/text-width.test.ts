import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutMiddle, cutText, textWidth, wrapText } from '../../../src/lib/view/text-width.js'

describe('cutText', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly', 7, 'exactly'],
    ['longer than that', 7, 'longer…'],
    ['世界世界', 8, '世界世界'],
    ['世界世界', 7, '世界世…'],
    ['世界世界', 6, '世界…'],
    ['anything', 1, '…'],
    ['anything', 0, ''],
  ])('shows %j in %d columns as %j', (text, width, shown) => {
    expect(cutText(text, width)).toBe(shown)
  })

  it('keeps color codes, does not count them, and resets behind a cut', () => {
    const red = '\u001b[31mred and long\u001b[39m'
    expect(cutText(red, 12)).toBe(red)
    expect(cutText(red, 4)).toBe('\u001b[31mred…\u001b[0m')
  })

  it('does not split a character that is made of several', () => {
    expect(cutText('👩‍👩‍👧‍👦 family', 4)).toBe('👩‍👩‍👧‍👦 …')
  })

  it('never takes more columns than it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 30 }), (text, width) => {
        expect(textWidth(cutText(text, width))).toBeLessThanOrEqual(width)
      }),
    )
  })
})

describe('wrapText', () => {
  it.each([
    ['one line', 20, 'one line'],
    ['broken between words here', 12, 'broken\n  between\n  words here'],
    ['a', 0, ''],
    ['an unbreakableword ends', 10, 'an\n  unbreak…\n  ends'],
  ])('shows %j in %d columns as %j', (text, width, shown) => {
    expect(wrapText(text, width, '  ')).toBe(shown)
  })

  it('loses no word that fits, and takes no more columns than it is given', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 })
    fc.assert(
      fc.property(words, fc.integer({ min: 10, max: 40 }), (list, width) => {
        const lines = wrapText(list.join(' '), width, '  ').split('\n')
        expect(lines.every((line) => textWidth(line) <= width)).toBe(true)
        expect(lines.join(' ').trim().split(/ +/)).toEqual(list)
      }),
    )
  })
})

describe('cutMiddle', () => {
  it('keeps both ends of an identifier', () => {
    expect(cutMiddle('prices.kalshi.KXNBAGAME-26JAN15MIABOS-MIA', 21)).toBe('prices.kal…MIABOS-MIA')
    expect(cutMiddle('short', 21)).toBe('short')
    expect(cutMiddle('short', 1)).toBe('…')
  })
})
