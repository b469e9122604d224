/**
 * Prices and sizes as integers. A float exists only at the wire.
 *
 *   priceE4   dollars x 10^4   0..10000   "0.4700" -> 4700
 *   sizeE2    contracts x 10^2            "3.00"   -> 300    what we choose, or read from a book (floored)
 *   sizeE6    contracts x 10^6            what a venue reports as filled
 *   micros    dollars x 10^6              cash and fees; priceE4 x sizeE2 is micro-dollars exactly
 */

/** One dollar: what a winning contract pays. */
export const ONE_E4 = 10_000

const DECIMAL = /^(-?)(\d*)(?:\.(\d*))?$/

/**
 * A venue's decimal string as an integer scaled by 10^digits, by slicing and without floats. Digits beyond the
 * scale must be zero, or are cut toward zero when `floor` is set. Undefined for anything that is not a plain decimal or
 * does not fit a safe integer.
 */
export function parseScaled(text: string, digits: number, { floor = false } = {}): number | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = ''] = match
  if (whole === '' && fraction === '') return undefined
  const kept = fraction.slice(0, digits).padEnd(digits, '0')
  if (!floor && /[^0]/.test(fraction.slice(digits))) return undefined
  const value = Number(`${whole}${kept}`)
  if (!Number.isSafeInteger(value)) return undefined
  return sign === '-' && value !== 0 ? -value : value
}

/** `4700` with 4 digits -> `"0.4700"`. */
export function formatScaled(value: number, digits: number): string {
  const sign = value < 0 ? '-' : ''
  const text = String(Math.abs(value)).padStart(digits + 1, '0')
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** A price string within 0..1 dollars. Undefined when malformed, finer than $0.0001, or out of range. */
export function parsePriceE4(text: string): number | undefined {
  const priceE4 = parseScaled(text, 4)
  return priceE4 === undefined || priceE4 < 0 || priceE4 > ONE_E4 ? undefined : priceE4
}

/** A book or order size string, floored to 0.01 contract. Undefined when malformed or negative. */
export function parseSizeE2(text: string): number | undefined {
  const sizeE2 = parseScaled(text, 2, { floor: true })
  return sizeE2 === undefined || sizeE2 < 0 || text.startsWith('-') ? undefined : sizeE2
}

/** Dollars on our wire (a JSON number 0..1) -> priceE4. Undefined unless it is a whole number of $0.0001. */
export function priceE4FromWire(dollars: number): number | undefined {
  return scaledFromWire(dollars, ONE_E4, ONE_E4)
}

/** Contracts on our wire (a JSON number) -> sizeE2. Undefined unless it is a non-negative multiple of 0.01. */
export function sizeE2FromWire(contracts: number): number | undefined {
  return scaledFromWire(contracts, 100, Number.MAX_SAFE_INTEGER)
}

function scaledFromWire(value: number, scale: number, max: number): number | undefined {
  const scaled = value * scale
  const rounded = Math.round(scaled)
  // A decimal with so few digits survives the float by far less than a millionth of a unit.
  return rounded >= 0 && rounded <= max && Math.abs(scaled - rounded) <= 1e-6 * Math.max(1, rounded * 1e-6)
    ? rounded
    : undefined
}

export const priceToWire = (priceE4: number): number => priceE4 / ONE_E4
export const sizeToWire = (sizeE2: number): number => sizeE2 / 100

/** Cost in micro-dollars of a size at a price; exact. */
export const costMicros = (priceE4: number, sizeE2: number): number => priceE4 * sizeE2

/** The price of the other outcome. */
export const complementE4 = (priceE4: number): number => ONE_E4 - priceE4

/** A wider quote says too little about what something costs. */
const MAX_SPREAD_E4 = 2000

/** The middle of a quote, rounded down; undefined where it is one-sided, crossed or wider than 0.20. */
export function statedMiddleE4(bidE4: number | undefined, askE4: number | undefined): number | undefined {
  if (bidE4 === undefined || askE4 === undefined || bidE4 <= 0 || askE4 >= ONE_E4) return undefined
  const spreadE4 = askE4 - bidE4
  return spreadE4 < 0 || spreadE4 > MAX_SPREAD_E4 ? undefined : bidE4 + Math.floor(spreadE4 / 2)
}

/** Of two whole numbers above 0. */
export function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}
