// Creates a self-signed certificate, which node:crypto cannot do: the minimal X.509 around a public key [RFC 5280, 4.1].
import { type KeyObject, sign } from 'node:crypto'

/** The certificate of an RSA key, as PEM. */
export function certificateOf(publicKey: KeyObject, privateKey: KeyObject): string {
  const algorithm = sequence(oid('2a864886f70d01010b'), Buffer.from([0x05, 0]))
  const name = sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from('for tests only')))))
  const time = (text: string) => tagged(0x17, Buffer.from(text))
  const validity = sequence(time('200101000000Z'), time('491231235959Z'))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const content = sequence(tagged(0x02, Buffer.from([1])), algorithm, name, validity, name, key)
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', content, privateKey)]))
  const lines =
    sequence(content, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const bytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

const sequence = (...parts: Buffer[]) => tagged(0x30, Buffer.concat(parts))
const oid = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'))
