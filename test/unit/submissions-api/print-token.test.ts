// The token in the address of a print view: only what this service signed, and only for its time.

import { expect, it } from 'vitest'
import { openPrintToken, type PrintClaims, signPrintToken } from '../../../src/api/print-token.ts'
import { linkIssued, linkSessionOf } from '../../../src/auth/link-session.ts'
import type { Secrets } from '../../../src/core/derive-key.ts'
import { problem, toAppError } from '../../../src/core/errors.ts'

const OLD: Secrets = ['an-old-secret-of-thirty-two-characters']
const ROTATED: Secrets = ['a-newer-secret-of-thirty-two-characters', ...OLD]
const NOW_MS = 1_796_000_000_000
const issued = { owner: 'portal', submission: 's-1', session: 'a'.repeat(24), revocations: 2, issuedAtMs: null }
const claims: PrintClaims = {
  owner: 'portal',
  submission: 's-1',
  revision: 2,
  expiresAtSeconds: NOW_MS / 1000 + 60,
  session: linkSessionOf({ ...issued, isOf: () => true }, 'ครู 1', OLD),
}

const codeOf = (token: string, secrets = OLD, nowMs = NOW_MS) => {
  try {
    openPrintToken(token, secrets, nowMs)
    return 'opened'
  } catch (error) {
    return problem(toAppError(error)).code
  }
}

it('tells what was signed, also after a rotation, and names nobody', () => {
  const token = signPrintToken(claims, OLD)
  for (const secrets of [OLD, ROTATED]) expect(openPrintToken(token, secrets, NOW_MS)).toEqual(claims)
  expect(openPrintToken(signPrintToken({ ...claims, session: null }, OLD), OLD, NOW_MS).session).toBeNull()
  expect(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')).not.toContain('ครู')
  const link = linkIssued(claims.session ?? expect.fail(), ROTATED)
  expect(link).toMatchObject(issued)
  expect([link.isOf('ครู 1'), link.isOf('ครู 2')]).toEqual([true, false])
})

it('is nothing when it was changed, signed by somebody else, or its time is over', () => {
  const token = signPrintToken(claims, OLD)
  const [text = '', mac = ''] = token.split('.')
  const other = Buffer.from(JSON.stringify(['portal', 's-2', 2, claims.expiresAtSeconds])).toString('base64url')
  for (const bad of [`${other}.${mac}`, `${text}.${'A'.repeat(22)}`, text, `${token}.x`, `${text}.`, '', '.', 'x.y'])
    expect(codeOf(bad), bad).toBe('LINK_INVALID')
  expect(codeOf(token, ['a-newer-secret-of-thirty-two-characters'])).toBe('LINK_INVALID')
  expect(codeOf(token, OLD, claims.expiresAtSeconds * 1000)).toBe('LINK_EXPIRED')
})
