/** The words of a `--where` condition. */

import type { ArbeesError } from '../core/errors.js'

const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='] as const
export type Comparison = (typeof COMPARISONS)[number]

interface Place {
  /** From 1. */
  readonly column: number
  /** As it was typed. */
  readonly text: string
}

export type Token = Place &
  (
    | { readonly kind: 'word'; readonly value: 'and' | 'or' | 'not' }
    | { readonly kind: 'parenthesis'; readonly value: '(' | ')' }
    | { readonly kind: 'comparison'; readonly value: Comparison }
    | { readonly kind: 'literal'; readonly value: number | string | boolean | null }
    /** A name, or names and indexes with dots between them. */
    | { readonly kind: 'field'; readonly value: string }
  )

const SPACE = /\s*/y
const SIGN = /[()]|[=!<>]=?/y
const NUMBER = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])/y
const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y
const NAME = /[A-Za-z_]\w*(?:\.\w+)*(?![\w.])/y

/** Throws what `refuse` makes of a column and what is wrong there. */
export function tokensOf(text: string, refuse: (column: number, problem: string) => ArbeesError): Token[] {
  const tokens: Token[] = []
  let at = matchAt(SPACE, text, 0)?.length ?? 0
  while (at < text.length) {
    const token = tokenAt(text, at)
    if (token === undefined) throw refuse(at + 1, problemAt(text, at))
    tokens.push(token)
    at += token.text.length
    at += matchAt(SPACE, text, at)?.length ?? 0
  }
  return tokens
}

function tokenAt(text: string, at: number): Token | undefined {
  const column = at + 1
  const sign = matchAt(SIGN, text, at)
  if (sign !== undefined) {
    if (sign === '(' || sign === ')') return { kind: 'parenthesis', value: sign, text: sign, column }
    const value = sign === '==' ? '=' : COMPARISONS.find((each) => each === sign)
    return value === undefined ? undefined : { kind: 'comparison', value, text: sign, column }
  }
  const number = matchAt(NUMBER, text, at)
  if (number !== undefined) return { kind: 'literal', value: Number(number), text: number, column }
  const string = matchAt(STRING, text, at)
  if (string !== undefined) {
    return { kind: 'literal', value: string.slice(1, -1).replace(/\\(.)/g, '$1'), text: string, column }
  }
  const name = matchAt(NAME, text, at)
  return name === undefined ? undefined : wordOf(name, column)
}

const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

function wordOf(text: string, column: number): Token {
  const lower = text.toLowerCase()
  if (lower === 'and' || lower === 'or' || lower === 'not')
    return { kind: 'word', value: lower, text, column }
  const literal = LITERALS.get(lower)
  return literal === undefined
    ? { kind: 'field', value: text, text, column }
    : { kind: 'literal', value: literal, text, column }
}

function problemAt(text: string, at: number): string {
  const char = text[at] ?? ''
  if (char === "'" || char === '"') return 'a string without its closing quote'
  return char === '!' ? "'!' alone is nothing: write != or not" : `nothing begins with '${char}'`
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}
