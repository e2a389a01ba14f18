// One submission with an upload that is whole and one that is not, a neighbour of the same portal, and everything that
// somebody might show at the door.

import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { type Environment, OTHER_KEY, PORTAL_KEY } from '../../../support/environment.ts'
import { pdfBytes } from '../../../support/media/pdfs.ts'
import { idOf, tusUser } from '../../../support/tus.ts'

export const OPS_PASSWORD = 'only-for-operators'

/** Who is refused comes first: what they leave behind would be seen by those who are let in. */
export const CREDENTIALS = [
  'none',
  'garbage',
  'ops',
  'otherKey',
  'forgedSession',
  'expiredSession',
  'revokedSession',
  'otherSession',
  'revokedTicket',
  'otherTicket',
  'slotTicket',
  'expiredTicket',
  'ticket',
  'readSession',
  'session',
  'key',
] as const
export type CredentialName = (typeof CREDENTIALS)[number]

export type Scene = Awaited<ReturnType<typeof setScene>>

export async function setScene(stack: Environment) {
  const id = await stack.submission()
  const neighbour = await stack.submission()
  const ticketOf = (submission: string, slot: string) => stack.ticket(submission, slot)
  const session = async (submission: string, can: string[], expiresInSeconds = 600) => {
    const { body } = await stack.call('POST', `/v1/submissions/${submission}/sessions`, {
      body: {
        can,
        expiresInSeconds,
      },
    })
    return String(body['token'])
  }
  const revoked = await revokedPage(stack, id)
  const ticket = await ticketOf(id, 'plan')
  const user = tusUser(stack.url, ticket)
  const bytes = pdfBytes()
  const whole = await user.create({ length: bytes.length, name: 'plan.pdf' })
  await user.patch(whole, 0, bytes)
  const begun = await user.create({ length: bytes.length, name: 'begun.pdf' })
  await user.patch(begun, 0, bytes.subarray(0, 100))
  const past = Math.floor(Date.now() / 1000) - 60
  const signed = (claims: Record<string, unknown>, typ: string, secret: string, exp: number) =>
    new SignJWT({ owner: 'portal', submission: id, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ })
      .setAudience('songngan')
      .setIssuedAt(past - 60)
      .setExpirationTime(exp)
      .sign(createHash('sha256').update(secret).digest())
  const tokens: Record<Exclude<CredentialName, 'none' | 'ops'>, string> = {
    garbage: 'x'.repeat(40),
    otherKey: OTHER_KEY,
    forgedSession: await signed({ can: ['read', 'upload', 'seal'] }, 'session+jwt', 'not ours', past + 6000),
    expiredSession: await stack.deps.tokens
      .signSession({
        owner: 'portal',
        submission: id,
        subject: null,
        can: ['read', 'upload', 'seal'],
        expMs: past * 1000,
        revocations: 0,
      })
      .then(({ token }) => token),
    revokedSession: revoked.session,
    revokedTicket: revoked.ticket,
    otherSession: await session(neighbour, ['read', 'upload', 'seal']),
    otherTicket: await ticketOf(neighbour, 'plan'),
    slotTicket: await ticketOf(id, 'film'),
    expiredTicket: await stack.deps.tokens
      .signTicket({
        owner: 'portal',
        submission: id,
        slot: 'plan',
        subject: null,
        replaces: null,
        maxBytes: null,
        expMs: past * 1000,
        session: null,
        revocations: 0,
      })
      .then(({ token }) => token),
    ticket,
    readSession: await session(id, ['read']),
    session: await session(id, ['read', 'upload', 'seal']),
    key: PORTAL_KEY,
  }
  return {
    id,
    neighbour,
    tokens,
    user,
    bytes,
    whole: idOf(whole),
    begun: idOf(begun),
    /** The header that shows a credential. */
    authorization(name: CredentialName): Record<string, string> {
      if (name === 'none') return {}
      if (name === 'ops') return { authorization: `Basic ${Buffer.from(`ops:${OPS_PASSWORD}`).toString('base64')}` }
      return { authorization: `Bearer ${tokens[name]}` }
    },
  }
}

/** A session that its portal has revoked, and a ticket that it asked for before. */
async function revokedPage(stack: Environment, id: string): Promise<{ session: string; ticket: string }> {
  const made = await stack.call('POST', `/v1/submissions/${id}/sessions`, { body: { can: ['read', 'upload', 'seal'] } })
  const session = String(made.body['token'])
  const asked = await stack.call('POST', `/v1/submissions/${id}/tickets`, { token: session, body: { slot: 'plan' } })
  await stack.call('DELETE', `/v1/submissions/${id}/sessions/${String(made.body['id'])}`)
  return { session, ticket: String(asked.body['ticket']) }
}
