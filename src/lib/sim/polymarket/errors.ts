/** Polymarket's refusals: `{"error": text}`; clients classify by the text. */

export interface PolyRefusal {
  readonly status: number
  /** Short and stable: what the simulator counts it under. */
  readonly reason: string
  readonly body: { readonly error: string; readonly orderID?: string; readonly [more: string]: unknown }
}

export function polyError(status: number, reason: string, error: string, orderId?: string): PolyRefusal {
  return { status, reason, body: { error, ...(orderId !== undefined && { orderID: orderId }) } }
}

export const unauthorized = (reason: string): PolyRefusal =>
  polyError(401, reason, 'Unauthorized/Invalid api key')

export const noFakMatch = (orderId: string): PolyRefusal =>
  polyError(
    400,
    'fak_no_match',
    'no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.',
    orderId,
  )

export const fokNotFilled = (orderId: string): PolyRefusal =>
  polyError(
    400,
    'fok_killed',
    "order couldn't be fully filled. FOK orders are fully filled or killed.",
    orderId,
  )

export function isPolyRefusal(value: object): value is PolyRefusal {
  return 'status' in value && 'reason' in value && 'body' in value
}
