// Robustness: garbage, extremes and repetitions in each tus header.
import { answered, expectClientError, expectHeader, expectNoServerError, expectThat, succeeded } from '../expect.ts'
import { type Check, rule, type Section } from '../model.ts'
import { createPartial, forms, postFinal } from '../partials.ts'
import { unknownUpload } from '../uploads.ts'
import { field } from '../wire/message.ts'
import { readPairs, size, withPairs } from './creation-metadata.ts'

/** Bytes as the wire has them: header values are sent as Latin-1. */
const utf8 = (text: string) => Buffer.from(text).toString('latin1')

const notNumbers: Readonly<Record<string, string>> = {
  empty: '',
  'with a plus': '+0',
  hexadecimal: '0x0',
  'a float': '0.0',
  'with an exponent': '0e0',
  'a list': '0,0',
  'two numbers': '0 0',
  'trailing letters': '0abc',
  'an Arabic zero': utf8('٠'),
  '2^64, which wraps to 0': '18446744073709551616',
  '2^63': '9223372036854775808',
  '400 digits': '9'.repeat(400),
}

const notLengths: Readonly<Record<string, string>> = {
  empty: '',
  'with a plus': '+16384',
  hexadecimal: '0x4000',
  'a float': '16384.5',
  'with an exponent': '1e4',
  'a list': '16384,16384',
  'trailing letters': '16384abc',
  '2^64 + 16384': '18446744073709568000',
  '400 digits': '9'.repeat(400),
}

const each = (values: Readonly<Record<string, string>>, check: (value: string) => Check) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, check(value)]))

export const robustHeaders: Section = {
  key: 'robust-headers',
  title: 'Robustness: headers',
  rules: [
    rule('ROBUST', 'offset', 'An Upload-Offset that is no plain decimal number is refused and changes nothing', {
      ...each(notNumbers, (value) => async (t) => {
        const upload = await t.create()
        expectClientError(await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Offset': value }))
        await t.expectOffsetStays(upload, 0, `Upload-Offset: ${value.slice(0, 30)}`)
      }),
      'two different ones': async (t) => {
        const upload = await t.create()
        expectClientError(await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Offset': ['0', '500'] }))
        await t.expectOffsetStays(upload, 0, 'two offsets')
      },
    }),
    rule('ROBUST', 'length', 'An Upload-Length that is no plain decimal number creates nothing', {
      ...each(notLengths, (value) => async (t) => {
        expectClientError(await t.post({ 'Upload-Length': value }))
      }),
      'two different ones': async (t) => {
        expectClientError(await t.post({ 'Upload-Length': ['16384', '32768'] }))
      },
      'together with Upload-Defer-Length': async (t) => {
        expectClientError(await t.post({ ...size(t), 'Upload-Defer-Length': '1' }))
      },
    }),
    rule('ROBUST', 'length-exact', 'A very large Upload-Length is kept exactly, or refused', {
      '2^53 + 1': exactLength('9007199254740993'),
      '2^63 - 1': exactLength('9223372036854775807'),
    }),
    rule('ROBUST', 'version', 'A request without a usable Tus-Resumable is refused and changes nothing', {
      'PATCH without it': version(null),
      'PATCH with an empty one': version(''),
      'PATCH with 1.0': version('1.0'),
      'PATCH with two versions': version('1.0.0, 0.2.2'),
      'POST without it': async (t) => {
        expectClientError(await t.post({ ...size(t), 'Tus-Resumable': null }))
      },
    }),
    rule('ROBUST', 'metadata', 'Garbage in Upload-Metadata is refused, or HEAD returns well-formed metadata', {
      'no Base64': garbageMetadata('note !!!'),
      'three words': garbageMetadata('note YQ== YQ=='),
      'an empty key': garbageMetadata(' YQ=='),
      'only commas': garbageMetadata(',,,'),
      'a key twice': garbageMetadata('note YQ==,note Yg=='),
      'a key beyond ASCII': garbageMetadata(`${utf8('ชื่อ')} YQ==`),
      'control characters': garbageMetadata('no\u0001te YQ=='),
    }),
    rule('ROBUST', 'metadata-lines', 'Upload-Metadata in two lines means the same as in one, or is refused', {
      'no pair is lost': async (t) => {
        const own = t.payload.metadata === '' ? [] : [t.payload.metadata]
        const created = await t.post({ ...size(t), 'Upload-Metadata': [...own, 'one MQ==', 'two Mg=='] })
        if (created.response?.status !== 201) {
          expectClientError(created)
          return t.note(`refused: ${created.got}`)
        }
        const x = await t.head(t.uploadOf(created))
        const pairs = readPairs(field(answered(x), 'Upload-Metadata') ?? '', x.request)
        expectThat(pairs.has('one') && pairs.has('two'), 'the keys one and two', [...pairs.keys()].join(', '), x)
      },
    }),
    rule('ROBUST', 'metadata-verbatim', 'HEAD returns Upload-Metadata byte for byte', {
      'order and empty values': async (t) => {
        const headers = withPairs(t, 'z YQ==,empty,a Yg==')
        const upload = await t.create({ headers })
        expectHeader(await t.head(upload), 'Upload-Metadata', headers['Upload-Metadata'])
      },
    }),
    rule('ROBUST', 'metadata-300k', '300 kB of metadata are accepted or refused, without harm to the server', {
      'another upload still works': async (t) => {
        const other = await t.create()
        const pairs = Array.from({ length: 3000 }, (_, index) => `key${index} ${'A'.repeat(88)}`).join(',')
        const x = await t.post({ ...size(t), ...withPairs(t, pairs) })
        t.note(`300 kB: ${x.response ? x.response.status : x.got}`)
        if (x.response) expectNoServerError(x)
        if (x.response?.status === 201) expectThat(succeeded(await t.head(t.uploadOf(x))), 'HEAD works', x.got, x)
        await t.expectOffsetStays(other, 0, '300 kB of metadata elsewhere')
      },
    }),
    rule(
      'ROBUST',
      'checksum',
      'A malformed Upload-Checksum is refused and changes nothing',
      {
        'no digest': badChecksum('sha1'),
        'no Base64': badChecksum('sha1 !!!'),
        'too short': badChecksum('sha1 AAAA'),
        empty: badChecksum(''),
      },
      { needs: ['checksum'] },
    ),
    rule(
      'ROBUST',
      'concat',
      'An invalid Upload-Concat is refused',
      {
        garbage: badConcat('garbage'),
        'final without parts': badConcat('final;'),
        'an unknown part': async (t) => {
          expectClientError(await t.post({ 'Upload-Concat': `final;${(await unknownUpload(t)).href}` }))
        },
        'a part on another host': badConcat('final;http://192.0.2.1/files/a'),
        'a part that is an ordinary upload': async (t) => {
          expectClientError(await postFinal(t, [await t.createComplete()]))
        },
      },
      { needs: ['concatenation'] },
    ),
    rule(
      'ROBUST',
      'concat-verbatim',
      'HEAD returns Upload-Concat byte for byte',
      {
        'relative URLs': async (t) => {
          const part = await createPartial(t, 0, 1100)
          const final = t.uploadOf(await postFinal(t, [part], 'relative'))
          expectHeader(await t.head(final), 'Upload-Concat', `final;${forms.relative(part)}`)
        },
      },
      { needs: ['concatenation'] },
    ),
    rule('ROBUST', 'no-store-404', 'A HEAD on an unknown upload may not be cached either', {
      'Cache-Control: no-store': async (t) => {
        expectHeader(await t.send({ method: 'HEAD', url: await unknownUpload(t) }), 'Cache-Control', 'no-store')
      },
    }),
  ],
}

function exactLength(value: string): Check {
  return async (t) => {
    const x = expectNoServerErrorOr507(await t.post({ 'Upload-Length': value }))
    if (x.response?.status !== 201) return t.note(`refused: ${x.got}`)
    expectHeader(await t.head(t.uploadOf(x)), 'Upload-Length', value)
  }
}

/** 507 Insufficient Storage is an honest answer to a length of some exabytes. */
function expectNoServerErrorOr507(x: Parameters<typeof answered>[0]) {
  if (answered(x).status !== 507) expectNoServerError(x)
  return x
}

function version(value: string | null): Check {
  return async (t) => {
    const upload = await t.create()
    expectClientError(await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Tus-Resumable': value }))
    await t.expectOffsetStays(upload, 0, `Tus-Resumable: ${value ?? '(absent)'}`)
  }
}

function garbageMetadata(value: string): Check {
  return async (t) => {
    const x = await t.post({ ...size(t), 'Upload-Metadata': value })
    expectNoServerError(x)
    if (x.response?.status !== 201) return
    const asked = await t.head(t.uploadOf(x))
    expectThat(succeeded(asked), 'HEAD works', asked.got, asked)
    const given = field(answered(asked), 'Upload-Metadata')
    if (given !== undefined) readPairs(given, asked.request)
  }
}

function badChecksum(value: string): Check {
  return async (t) => {
    const upload = await t.create()
    expectClientError(await t.patch(upload, 0, t.payload.bytes(0, 1100), { 'Upload-Checksum': value }))
    await t.expectOffsetStays(upload, 0, `Upload-Checksum: ${value}`)
  }
}

function badConcat(value: string): Check {
  return async (t) => {
    const length = value.startsWith('final') ? {} : size(t)
    expectClientError(await t.post({ ...length, 'Upload-Concat': value }))
  }
}
