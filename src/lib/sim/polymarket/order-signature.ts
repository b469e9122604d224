/**
 * Who signed an order: the key of an account itself, or, for a deposit wallet (type 3), the key whose signature that
 * wallet would accept: wrapped as ERC-7739 says, with all that is needed to unwrap it.
 */

import {
  address,
  digestOf,
  domainSeparator,
  joined,
  keccakText,
  ORDER_TYPE,
  orderStructHash,
  POLYGON,
  recoverAddress,
  word,
  type Domain,
  type OrderStruct,
} from './eip712.js'

const WALLET_TYPE = `TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)${ORDER_TYPE}`
const SIGNATURE_BYTES = 65

/** The address (lower case) of the key behind a signature; undefined when there is none. */
export function orderSigner(order: OrderStruct, domain: Domain, signature: string): string | undefined {
  if (!/^0x([0-9a-fA-F]{2})+$/.test(signature)) return undefined
  const bytes = Buffer.from(signature.slice(2), 'hex')
  const separator = domainSeparator(domain)
  const contents = orderStructHash(order)
  if (order.signatureType !== 3) return recoverAddress(digestOf(separator, contents), bytes)
  const type = Buffer.from(ORDER_TYPE)
  const tail = Buffer.concat([separator, contents, type, Buffer.from([type.length >> 8, type.length & 0xff])])
  if (!bytes.subarray(SIGNATURE_BYTES).equals(tail)) return undefined
  const struct = joined(
    keccakText(WALLET_TYPE),
    contents,
    keccakText('DepositWallet'),
    keccakText('1'),
    word(POLYGON),
    address(order.signer),
    Buffer.alloc(32),
  )
  return recoverAddress(digestOf(separator, struct), bytes.subarray(0, SIGNATURE_BYTES))
}
