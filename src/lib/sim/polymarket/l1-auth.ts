/** L1 headers: an EIP-712 signature by the wallet's key over its address, a fresh timestamp and a nonce. */

import { address, digestOf, joined, keccakText, POLYGON, recoverAddress, word } from './eip712.js'
import { polyError, type PolyRefusal } from './errors.js'

const MESSAGE = 'This message attests that I control the given wallet'
const WINDOW_S = 60

/** The nonce when `header` (a header by its name) proves the wallet's key, else the refusal. */
export function checkL1(
  header: (name: string) => string | undefined,
  wallet: string,
  nowMs: number,
): string | PolyRefusal {
  const given = header('POLY_ADDRESS') ?? ''
  const signature = header('POLY_SIGNATURE') ?? ''
  const timestamp = header('POLY_TIMESTAMP') ?? ''
  const nonce = header('POLY_NONCE') ?? ''
  if (!/^0x[0-9a-fA-F]{40}$/.test(given) || !/^\d{1,15}$/.test(nonce)) return refused('l1_headers')
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > WINDOW_S) {
    return refused('l1_timestamp')
  }
  const domain = joined(
    keccakText('EIP712Domain(string name,string version,uint256 chainId)'),
    keccakText('ClobAuthDomain'),
    keccakText('1'),
    word(POLYGON),
  )
  const struct = joined(
    keccakText('ClobAuth(address address,string timestamp,uint256 nonce,string message)'),
    address(given),
    keccakText(timestamp),
    word(BigInt(nonce)),
    keccakText(MESSAGE),
  )
  const signer = recoverAddress(digestOf(domain, struct), Buffer.from(signature.slice(2), 'hex'))
  return signer === given.toLowerCase() && signer === wallet ? nonce : refused('l1_signature')
}

const refused = (reason: string): PolyRefusal => polyError(401, reason, 'Invalid L1 Request headers')
