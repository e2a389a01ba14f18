// Sessions and tickets, as revocations see them.

import type { Issued } from '../records/revocations.ts'
import type { Session, Ticket } from './tokens.ts'

export function sessionIssued({ id, ...session }: Session): Issued {
  return { ...common(session), session: id }
}

export function ticketIssued(ticket: Ticket): Issued {
  return { ...common(ticket), session: ticket.session }
}

type Told = Pick<Ticket, 'owner' | 'submission' | 'subject' | 'revocations' | 'issuedAtMs'>

function common({ owner, submission, subject, revocations, issuedAtMs }: Told): Omit<Issued, 'session'> {
  return { owner, submission, revocations, issuedAtMs, isOf: (name) => name === subject }
}
