/**
 * Conditions on a message, as operators type them:
 *
 *     yes_ask < 0.4 and not (state = 'STALE' or yes_bid = null)
 *
 * Comparisons (= == != < <= > >=) of fields, numbers, strings in quotes, true, false and null; and, or, not,
 * parentheses. What is not there is null. Order is between two numbers or two strings, else the comparison is false.
 */

import { ArbeesError, EXIT } from '../core/errors.js'
import type { FieldReader } from './tap-fields.js'
import { tokensOf } from './where-tokens.js'
import type { Comparison, Token } from './where-tokens.js'

export interface Where {
  test(read: FieldReader): boolean
  /** Fields that no message so far has had: they may be misspelt. */
  readonly unseen: ReadonlySet<string>
}

type Condition = (read: FieldReader) => boolean
type Operand = (read: FieldReader) => unknown

/** Longer ones are refused: a parenthesis takes a level of the stack. */
const MAX_LENGTH = 2_000

/** Throws `BAD_WHERE` (usage), which names the column. */
export function parseWhere(text: string): Where {
  if (text.length > MAX_LENGTH) throw badWhere(text.slice(0, 40), MAX_LENGTH, 'the condition is too long')
  const parser = new Parser(text)
  const condition = parser.parse()
  return { test: condition, unseen: parser.unseen }
}

class Parser {
  readonly unseen = new Set<string>()
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(private readonly text: string) {
    this.tokens = tokensOf(text, (column, problem) => badWhere(text, column, problem))
  }

  parse(): Condition {
    const condition = this.or()
    if (this.peek() !== undefined) throw this.expected('and, or, or the end')
    return condition
  }

  private or(): Condition {
    const parts = [this.and()]
    while (this.takeWord('or')) parts.push(this.and())
    return parts.length === 1 ? first(parts) : (read) => parts.some((part) => part(read))
  }

  private and(): Condition {
    const parts = [this.not()]
    while (this.takeWord('and')) parts.push(this.not())
    return parts.length === 1 ? first(parts) : (read) => parts.every((part) => part(read))
  }

  private not(): Condition {
    if (!this.takeWord('not')) return this.primary()
    const condition = this.not()
    return (read) => !condition(read)
  }

  private primary(): Condition {
    if (!this.takeParenthesis('(')) return this.comparison()
    const condition = this.or()
    if (!this.takeParenthesis(')')) throw this.expected(')')
    return condition
  }

  private comparison(): Condition {
    const left = this.operand()
    const token = this.peek()
    if (token?.kind !== 'comparison') throw this.expected('one of = != < <= > >=')
    this.at++
    const right = this.operand()
    const compare = COMPARE[token.value]
    return (read) => compare(left(read), right(read))
  }

  private operand(): Operand {
    const token = this.peek()
    if (token?.kind === 'literal') {
      this.at++
      return () => token.value
    }
    if (token?.kind !== 'field') throw this.expected('a field or a value')
    this.at++
    const { value: name } = token
    this.unseen.add(name)
    return (read) => {
      const value = read(name)
      if (value !== undefined) this.unseen.delete(name)
      return value ?? null
    }
  }

  private peek(): Token | undefined {
    return this.tokens[this.at]
  }

  private takeWord(word: 'and' | 'or' | 'not'): boolean {
    const token = this.peek()
    const isIt = token?.kind === 'word' && token.value === word
    if (isIt) this.at++
    return isIt
  }

  private takeParenthesis(sign: '(' | ')'): boolean {
    const token = this.peek()
    const isIt = token?.kind === 'parenthesis' && token.value === sign
    if (isIt) this.at++
    return isIt
  }

  private expected(what: string): ArbeesError {
    const token = this.peek()
    const found = token === undefined ? 'the end' : `'${token.text}'`
    return badWhere(this.text, token?.column ?? this.text.length + 1, `expected ${what}, found ${found}`)
  }
}

const first = (parts: readonly Condition[]): Condition => parts[0] ?? (() => false)

const ordered =
  (isOrdered: (order: number) => boolean) =>
  (a: unknown, b: unknown): boolean => {
    if (typeof a === 'number' && typeof b === 'number') return isOrdered(a - b)
    return typeof a === 'string' && typeof b === 'string' && isOrdered(a < b ? -1 : a > b ? 1 : 0)
  }

const COMPARE: Readonly<Record<Comparison, (a: unknown, b: unknown) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
}

const badWhere = (text: string, column: number, problem: string): ArbeesError =>
  new ArbeesError('BAD_WHERE', `--where, column ${column}: ${problem}: ${text}`, {
    exit: EXIT.USAGE,
    hint: `for example: --where "yes_ask < 0.4 and state = 'LIVE'"`,
  })
