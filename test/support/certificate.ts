// A certificate for this host, signed by itself and good on any date: Node can check certificates, but makes none.

import { generateKeyPairSync, sign } from 'node:crypto'

const TAG = { bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, time: 0x18, sequence: 0x30, set: 0x31 }
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03])
const SUBJECT_ALT_NAME = Buffer.from([0x55, 0x1d, 0x11])
const ECDSA_WITH_SHA256 = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])

/** One DER value (X.690): tag, length, contents. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const { length } = body
  const shortest = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...shortest]), body])
}

const bits = (bytes: Buffer) => der(TAG.bits, Buffer.from([0]), bytes)
const pem = (bytes: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`

/** Certificate and key of `localhost` and 127.0.0.1, as PEM. `until`: when it ends, `20210101000000Z`. */
export function localCertificate({ until = '99991231235959Z' } = {}): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_WITH_SHA256))
  const attribute = der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8, Buffer.from('localhost')))
  const name = der(TAG.sequence, der(TAG.set, attribute))
  const validity = ['20200101000000Z', until].map((time) => der(TAG.time, Buffer.from(time)))
  const names = der(TAG.sequence, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const extension = der(TAG.sequence, der(TAG.oid, SUBJECT_ALT_NAME), der(TAG.octets, names))
  const body = der(
    TAG.sequence,
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1])), // serial number
    algorithm,
    name,
    der(TAG.sequence, ...validity),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(TAG.sequence, extension)),
  )
  const certificate = der(TAG.sequence, body, algorithm, bits(sign('sha256', body, privateKey)))
  return { certificate: pem(certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}
