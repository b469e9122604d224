/** Z85 (ZeroMQ RFC 32): how a 32-byte key is written, 40 printable characters without quotes or spaces. */

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const KEY_BYTES = 32
const KEY_TEXT = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/

/** A key as text; undefined when it does not have 32 bytes. */
export function keyText(bytes: Buffer): string | undefined {
  if (bytes.length !== KEY_BYTES) return undefined
  let text = ''
  for (let at = 0; at < KEY_BYTES; at += 4) {
    const word = bytes.readUInt32BE(at)
    for (let divisor = 85 ** 4; divisor >= 1; divisor /= 85) {
      text += ALPHABET[Math.floor(word / divisor) % 85] ?? ''
    }
  }
  return text
}

export const isKeyText = (text: string): boolean => KEY_TEXT.test(text)
