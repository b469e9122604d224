/** Polymarket's decimal texts: no trailing zeros. */

import { formatScaled } from '../../model/price.js'

/** `300000` with 6 digits -> `"0.3"`. */
export function trimmed(value: number, digits: number): string {
  const text = formatScaled(value, digits)
  return digits === 0 ? text : text.replace(/0+$/, '').replace(/\.$/, '')
}

export const priceText = (priceE4: number): string => trimmed(priceE4, 4)
export const sizeText = (sizeE2: number): string => trimmed(sizeE2, 2)
export const amountText = (valueE6: number): string => trimmed(valueE6, 6)
