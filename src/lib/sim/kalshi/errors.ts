/** Kalshi's four shapes of refusal. */

export interface KalshiRefusal {
  readonly status: number
  /** Short and stable: what the simulator counts it under. */
  readonly reason: string
  readonly body: unknown
}

/** The usual shape: `{"error": {code, message, details?, service?}}`. */
export function kalshiError(
  status: number,
  code: string,
  message: string,
  extra: { readonly details?: string; readonly service?: string } = {},
): KalshiRefusal {
  return { status, reason: code, body: { error: { code, message, ...extra } } }
}

/** A body without what it must have. */
export const missingParameters = kalshiError(400, 'missing_parameters', 'missing parameters')

/** Refusals of the matching engine carry its name. */
export const exchangeError = (status: number, code: string): KalshiRefusal =>
  kalshiError(status, code, code.replaceAll('_', ' '), { service: 'exchange' })

/** Understood, and not to be: the details say why. */
export const invalidOrder = (details: string): KalshiRefusal =>
  kalshiError(400, 'invalid_order', 'invalid order', { details })

/** A body that does not decode: flat. */
export const decodeError = (details: string): KalshiRefusal => ({
  status: 400,
  reason: 'bad_request',
  body: { code: 'bad_request', message: 'bad request', details },
})

/** A query that does not validate: `{"msg"}`. */
export const queryError = (call: string, field: string, tag: string): KalshiRefusal => ({
  status: 400,
  reason: 'query',
  body: {
    msg: `Parameter validation failed for ${call}: Key: '${call}Params.${field}' Error:Field validation for '${field}' failed on the '${tag}' tag`,
  },
})

export const tooManyRequests: KalshiRefusal = {
  status: 429,
  reason: 'rate_limited',
  body: { error: 'too many requests' },
}

export const notFound = kalshiError(404, 'not_found', 'not found')

export function isRefusal(value: object): value is KalshiRefusal {
  return 'status' in value && 'reason' in value && 'body' in value
}
