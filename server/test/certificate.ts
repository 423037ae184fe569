import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** DER, as far as a certificate needs it. */
const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const time = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replace(/\D/g, '').slice(0, 14)}Z`))
const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), der(0x05))
const name = (common: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))))

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** A self-signed certificate as PEM, and the key that signs with it. */
export function certificate(
  common = 'sns.amazonaws.com',
  { from = new Date(Date.now() - 86_400_000), to = new Date(Date.now() + 86_400_000) } = {},
): { pem: string; key: KeyObject } {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    name(common),
    sequence(time(from), time(to)),
    name(common),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('RSA-SHA256', body, privateKey)
  const bytes = sequence(body, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature))
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n')
  return { pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key: privateKey }
}
