// What the check page takes for a receipt, and what it sends of it.

import { expect, it } from 'vitest'
import { asset } from './assets.ts'

const { receiptIn } = await asset<{ receiptIn: (text: string) => object | null }>('verify/held.js')

const JWS = 'eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJzb25nbmdhbiJ9.c2ln'
const ID = `portal/2569-00123/1/${'k'.repeat(43)}/${'s'.repeat(86)}`

it.each([
  ['the text alone', ` ${JWS}\n`, { receipt: JWS }],
  [
    'the document',
    JSON.stringify({ kind: 'final', receipt: JWS, claims: {}, keys: 'u', check: 'c' }),
    {
      kind: 'final',
      receipt: JWS,
      claims: {},
      keys: 'u',
      check: 'c',
    },
  ],
  ['a line of an export', JSON.stringify({ receipt: JWS, claims: { a: 1 } }), { receipt: JWS, claims: { a: 1 } }],
  [
    'an attempt of a list, without what is not compared',
    JSON.stringify({ id: 'x', receipt: JWS, slot: null }),
    {
      receipt: JWS,
    },
  ],
  ['the id of a printed receipt', ID, { id: ID }],
  ['the address in its QR code', `https://files.example/x/verify#${ID}`, { id: ID }],
])('takes %s', (_, text, body) => {
  expect(receiptIn(text)).toEqual(body)
})

it.each(['', 'a.b', '{}', '{"receipt": 5}', 'null', '[1]', '{', '%PDF-1.7', 'a/b/c'])(
  'takes nothing else: %s',
  (text) => {
    expect(receiptIn(text)).toBeNull()
  },
)
