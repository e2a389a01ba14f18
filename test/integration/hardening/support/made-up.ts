// What fast-check makes up: values of headers, ids and bodies, from nearly right to nonsense.

import fc from 'fast-check'
import { OFFSET_TYPE } from '../../../support/tus.ts'

/** What Node lets out as a header's value. */
export const headerText = fc.string({
  unit: fc
    .integer({ min: 32, max: 255 })
    .filter((code) => code !== 127)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
})
const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '0',
    '-0',
    '1e3',
    '0x10',
    ' 1',
    '1 ',
    '+1',
    '01',
    '1.5',
    'NaN',
    'Infinity',
    '9007199254740993',
    '-1',
    '',
  ),
  fc.bigInt().map(String),
  headerText,
)
const base64 = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  headerText,
)
const pair = fc.tuple(
  fc.oneof(fc.constantFrom('filename', 'filetype', 'fingerprint', '__proto__', 'constructor'), headerText),
  base64,
)
const metadata = fc.oneof(
  fc.array(pair, { maxLength: 4 }).map((pairs) => pairs.map(([key, value]) => `${key} ${value}`).join(',')),
  headerText,
)
export const tusHeaders = fc.record(
  {
    'tus-resumable': fc.oneof({ weight: 8, arbitrary: fc.constant('1.0.0') }, { weight: 1, arbitrary: headerText }),
    'upload-length': number,
    'upload-offset': fc.oneof(fc.constant('100'), number),
    'upload-defer-length': fc.oneof(fc.constant('1'), number),
    'upload-metadata': metadata,
    'upload-concat': fc.oneof(
      fc.constantFrom('partial', 'final;', 'final;/files/x /files/y'),
      headerText.map((text) => `final;${text}`),
      headerText,
    ),
    'upload-checksum': fc.oneof(
      base64.map((text) => `sha1 ${text}`),
      headerText,
    ),
    'content-type': fc.oneof({ weight: 5, arbitrary: fc.constant(OFFSET_TYPE) }, { weight: 1, arbitrary: headerText }),
    'x-http-method-override': fc.oneof(fc.constantFrom('PATCH', 'DELETE', 'HEAD', 'TRACE', 'patch'), headerText),
    'x-request-id': headerText,
    range: fc.oneof(fc.constantFrom('bytes=-1', 'bytes=5-1', 'bytes=0-0,2-3'), headerText),
    forwarded: headerText,
  },
  { requiredKeys: ['tus-resumable'] },
)
export const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
export const idText = fc.oneof(
  fc
    .string({ unit: 'binary', maxLength: 150 })
    .map((text) => encodeURIComponent(text.replaceAll(/[\uD800-\uDFFF]/g, '?'))),
  fc.constantFrom(
    '..',
    '.',
    '%2e%2e',
    '%2F',
    '%00',
    'a%00b',
    '__proto__',
    '-',
    '~'.repeat(300),
    '%ff',
    '%E0%A4%A',
    'a/../b',
    '//',
  ),
)
