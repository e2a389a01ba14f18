// Extension creation: Upload-Metadata.
import { expectNoServerError, expectPresent, expectStatus, expectThat } from '../expect.ts'
import type { Harness } from '../harness.ts'
import { Deviation, rule, type Section, untested } from '../model.ts'
import { field } from '../wire/message.ts'

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

export const metadata: Section = {
  key: 'metadata',
  title: 'Creation: Upload-Metadata',
  extension: 'creation',
  rules: [
    rule('MUST', 'well-formed', 'Upload-Metadata is key, space, Base64 value; pairs separated by commas, keys unique', {
      'in the answer to HEAD': async (t) => {
        const upload = await t.create({ headers: withPairs(t, `note ${base64('a')}`) })
        const x = await t.head(upload)
        readPairs(expectPresent(x, 'Upload-Metadata'), x.request)
      },
    }),
    rule('MAY', 'supplied', 'A client may send metadata', {
      'several pairs': async (t) => {
        expectStatus(await t.post({ ...size(t), ...withPairs(t, `one ${base64('1')},two ${base64('2')}`) }), 201)
      },
      'a value of binary bytes': async (t) => {
        const value = base64(Buffer.from([0, 255, 10, 13, 128]))
        expectStatus(await t.post({ ...size(t), ...withPairs(t, `bytes ${value}`) }), 201)
      },
    }),
    untested('MAY', 'used', 'The server may use metadata, ignore it, or refuse an upload for it', 'any of it is right'),
    rule('MAY', 'empty-value', 'A value may be empty, with or without the space after its key', {
      'a key alone at the end': async (t) => {
        expectStatus(await t.post({ ...size(t), ...withPairs(t, 'confidential') }), 201)
      },
      'a key and a space in the middle': async (t) => {
        expectStatus(await t.post({ ...size(t), ...withPairs(t, `confidential ,note ${base64('a')}`) }), 201)
      },
    }),
    rule('MUST', 'echoed', 'HEAD returns the metadata as the client sent it', {
      'one more pair': async (t) => await expectEcho(t, `note ${base64('a note')}`),
      'text in UTF-8': async (t) => await expectEcho(t, `title ${base64('วีดิทัศน์การสอน')}`),
      'several pairs': async (t) => await expectEcho(t, `b ${base64('2')},a ${base64('1')},c ${base64('3')}`),
      'a key without a value': async (t) => await expectEcho(t, `confidential,note ${base64('a')}`),
      'binary bytes': async (t) => await expectEcho(t, `bytes ${base64(Buffer.from([0, 255, 10, 13, 128]))}`),
      'when the upload is complete': async (t) => {
        const sent = withPairs(t, `note ${base64('kept')}`)
        const upload = await t.createComplete({ headers: sent })
        await expectSamePairs(t, upload, sent['Upload-Metadata'] ?? '')
      },
    }),
    rule('SHOULD', 'smuggling', 'Metadata values are validated or cleaned before they become header values', {
      'a line break in the file name does not become a header': async (t) => {
        const value = base64('a.mp4"\r\nX-Smuggled: yes\r\n.mp4')
        const own = t.payload.metadata.split(',').filter((pair) => !pair.startsWith('filename '))
        const pairs = [...own, `filename ${value}`].filter((pair) => pair !== '').join(',')
        const created = await t.post({ ...size(t), 'Upload-Metadata': pairs })
        expectNoServerError(created)
        if (created.response?.status !== 201) return
        const upload = t.uploadOf(created)
        for (const method of ['HEAD', 'GET']) {
          const x = await t.send({ method, url: upload.url })
          const smuggled = x.response && field(x.response, 'X-Smuggled')
          expectThat(smuggled === undefined, 'no header X-Smuggled', `X-Smuggled: ${smuggled}`, x)
        }
      },
    }),
    untested(
      'MUST',
      'keys',
      'Keys are ASCII, without spaces and commas, and not empty',
      'binds the client; what a server makes of others is looked at under robustness',
    ),
  ],
}

export function size(t: Harness) {
  return { 'Upload-Length': String(t.options.sizeBytes) }
}

/** The payload's own metadata (servers may require it), then the pairs of the check. */
export function withPairs(t: Harness, pairs: string): { 'Upload-Metadata': string } {
  return { 'Upload-Metadata': [t.payload.metadata, pairs].filter((part) => part !== '').join(',') }
}

async function expectEcho(t: Harness, pairs: string): Promise<void> {
  const headers = withPairs(t, pairs)
  await expectSamePairs(t, await t.create({ headers }), headers['Upload-Metadata'])
}

/** The same keys with the same bytes; order and spelling are compared under robustness. */
async function expectSamePairs(t: Harness, upload: { url: URL }, sent: string): Promise<void> {
  const x = await t.head(upload)
  const got = expectPresent(x, 'Upload-Metadata')
  const [want, have] = [readPairs(sent), readPairs(got, x.request)]
  const same = want.size === have.size && [...want].every(([key, value]) => have.get(key) === value)
  expectThat(same, `Upload-Metadata: ${sent}`, `Upload-Metadata: ${got}`, x)
}

/** Keys and values (hex) of an Upload-Metadata value; throws Deviation where the header is not well formed. */
export function readPairs(value: string, request?: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const pair of value.split(',')) {
    const [key = '', encoded = '', ...rest] = pair.replace(/^ | $/g, '').split(' ')
    const canonical = /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) && encoded.length % 4 === 0
    if (key === '' || rest.length > 0 || !canonical || pairs.has(key)) {
      throw new Deviation('pairs of key and Base64 value', `Upload-Metadata: ${value}`, request)
    }
    pairs.set(key, Buffer.from(encoded, 'base64').toString('hex'))
  }
  return pairs
}
