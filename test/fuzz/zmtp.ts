/** ZMTP 3.0 by hand, as a stranger on the port would speak it: greeting, commands, frames. */

export function greeting(mechanism = 'NULL'): Buffer {
  const bytes = Buffer.alloc(64)
  bytes[0] = 0xff
  bytes[8] = 0x01
  bytes[9] = 0x7f
  bytes[10] = 3
  bytes.write(mechanism, 12, 'latin1')
  return bytes
}

/** READY of the NULL mechanism. */
export function ready(socketType: 'SUB' | 'DEALER' | 'PUB' | 'ROUTER'): Buffer {
  const property = (name: string, value: string) => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(value.length)
    return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)])
  }
  return command('READY', Buffer.concat([property('Socket-Type', socketType), property('Identity', '')]))
}

export function command(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), data])
  if (body.length < 256) return Buffer.concat([Buffer.from([0x04, body.length]), body])
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(body.length))
  return Buffer.concat([Buffer.from([0x06]), size, body])
}

export function message(...frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, index) => {
      const more = index < frames.length - 1 ? 1 : 0
      if (frame.length < 256) return [Buffer.from([more, frame.length]), frame]
      const size = Buffer.alloc(8)
      size.writeBigUInt64BE(BigInt(frame.length))
      return [Buffer.from([more | 2]), size, frame]
    }),
  )
}
