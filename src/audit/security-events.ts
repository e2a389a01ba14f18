// The names of all security events: what a SIEM filters by. docs/security-log.md is the table for people.

type Meaning = {
  says: string
  /** `change`: something is different now. `access`: somebody came in, or read. */
  kind: 'change' | 'access'
  /** Worth a look whenever it happens: logged as a warning. */
  watch?: true
}

const change = (says: string, more: { watch?: true } = {}): Meaning => ({ says, kind: 'change', ...more })
const access = (says: string, more: { watch?: true } = {}): Meaning => ({ says, kind: 'access', ...more })

/** Event → what it says. A name never changes its meaning; new ones may be added. */
export const SECURITY_EVENTS = {
  'operator.login': access('An operator signed in, or gave a wrong name or password'),
  'operator.forged_request': access('A page of another site tried to change something with an operator’s browser'),
  'api_key.login': access('An API key was wrong'),
  'guessing.braked': access('Too many wrong credentials: this address or account is answered 429'),
  'personal.search': access('Somebody searched for people, submissions or files'),
  'personal.read': access('Somebody read what is stored about a submission or upload'),
  'admission.close': change('New uploads were closed'),
  'admission.open': change('New uploads were opened'),
  'lane.pause': change('A lane was paused'),
  'lane.resume': change('A lane was resumed'),
  'lane.concurrency': change('The number of jobs of a lane at a time was changed'),
  'queue.remove': change('Jobs were removed from a lane'),
  'queue.retry': change('Jobs of a lane were started again'),
  'queue.change': change('Something else was changed on the queue dashboard'),
  'instance.drain': change('An instance was drained'),
  'instance.undrain': change('Draining of an instance was ended'),
  'deadline.extend': change('Deadlines were moved'),
  'outage.note': change('A probe filed an outage that it saw from outside'),
  'start.unfenced': change('A worker started with MEDIA_ISOLATION=none', { watch: true }),
  'start.unauthenticated': change('A service started with AUTH=none', { watch: true }),
  'receipt_key.withdraw': change('A key of receipts was withdrawn', { watch: true }),
  'session.revoke': change('Sessions, or what they had issued, were revoked'),
  'submission.erase': change('A submission was deleted, with all that it held of a person'),
  'upload.erase': change('An upload was removed, with its names and its bytes'),
} as const satisfies Record<string, Meaning>

export type SecurityEventName = keyof typeof SECURITY_EVENTS

/** `refused`: not allowed, nothing changed. `failed`: it was allowed, and an error kept it from being done. */
export type SecurityResult = 'ok' | 'refused' | 'failed'

/** Who did it. `by`: `operator NAME`, `portal NAME`, `session of NAME`, `command line USER at HOST`, `service at HOST`, `worker at HOST`, `unknown`. */
export type Actor = {
  by: string
  /** The caller's address, as trusted (TRUST_PROXY); null: not by a request. */
  from: string | null
}

export type SecurityEvent = {
  event: SecurityEventName
  actor: Actor
  /** `ok` if absent. */
  result?: SecurityResult
  /** Ids of what it was done to: `submission obec/S-1`, `lane notify`. No names of people. Null: nothing in particular. */
  on: string | null
  /** One sentence for people, without personal data and credentials. Absent: what the event's name says. */
  what?: string
}

/** As stored and shown. `at` is ISO 8601. `control` is a change from before the security log. */
export type SecurityEntry = Actor & {
  at: string
  event: SecurityEventName | 'control'
  result: SecurityResult
  on: string | null
  what: string
}

/** Actor in words: `operator ops from 127.0.0.1`. */
export function actorInWords({ by, from }: Actor): string {
  return from === null ? by : `${by} from ${from}`
}
