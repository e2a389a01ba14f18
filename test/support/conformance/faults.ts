// Ways to break the reference server, each of which a check must notice. Some change an answer on its way
// out (see tampers); the others are looked at where the server decides something.

export type Fault =
  // decisions
  | 'stores nothing'
  | 'takes any offset'
  | 'takes any length'
  | 'checks no version'
  | 'checks the version of OPTIONS'
  | 'ignores the override'
  | 'appends on conflict'
  | 'overwrites on conflict'
  | 'checks no maximum'
  | 'gives one id to all'
  | 'changes the length'
  | 'ignores the length in PATCH'
  | 'verifies no checksum'
  | 'keeps bytes of a mismatch'
  | 'refuses sha1'
  | 'forgets the first part'
  | 'joins in reverse'
  | 'hands metadata on'
  | 'writes into final uploads'
  | 'forgets broken requests'
  | 'never lets go'
  | 'mixes concurrent requests'
  // answers
  | keyof typeof tampers

export interface Answer {
  status: number
  readonly headers: Record<string, string>
}

type Tamper = (method: string, answer: Answer) => void

const drop =
  (name: string, ...methods: readonly string[]): Tamper =>
  (method, answer) => {
    if (methods.length === 0 || methods.includes(method)) delete answer.headers[name]
  }

const set =
  (name: string, value: string, ...methods: readonly string[]): Tamper =>
  (method, answer) => {
    if (methods.includes(method) && answer.status < 300) answer.headers[name] = value
  }

/** Rewrites a header that is there. */
const rewrite =
  (name: string, change: (value: string) => string, ...methods: readonly string[]): Tamper =>
  (method, answer) => {
    const value = answer.headers[name]
    if (value !== undefined && methods.includes(method)) answer.headers[name] = change(value)
  }

const status =
  (from: number, to: number, ...methods: readonly string[]): Tamper =>
  (method, answer) => {
    if (answer.status === from && methods.includes(method)) answer.status = to
  }

export const tampers = {
  'offset in hexadecimal': rewrite('Upload-Offset', (value) => `0x${Number(value).toString(16)}`, 'HEAD', 'PATCH'),
  'offset one too high': rewrite('Upload-Offset', (value) => String(Number(value) + 1), 'PATCH'),
  'length as a float': rewrite('Upload-Length', (value) => `${value}.0`, 'HEAD'),
  'no Tus-Resumable': drop('Tus-Resumable'),
  'no Tus-Version': drop('Tus-Version'),
  'Tus-Version is a word': set('Tus-Version', 'one', 'OPTIONS'),
  'hole in Tus-Extension': rewrite('Tus-Extension', (value) => `${value},,`, 'OPTIONS'),
  'negative Tus-Max-Size': set('Tus-Max-Size', '-5', 'OPTIONS'),
  'HEAD without offset': drop('Upload-Offset', 'HEAD'),
  'HEAD without length': drop('Upload-Length', 'HEAD'),
  'HEAD without no-store': drop('Cache-Control', 'HEAD'),
  'HEAD without metadata': drop('Upload-Metadata', 'HEAD'),
  'HEAD with bad metadata': set('Upload-Metadata', 'one two three', 'HEAD'),
  'HEAD without deferral': drop('Upload-Defer-Length', 'HEAD'),
  'HEAD without Upload-Concat': drop('Upload-Concat', 'HEAD'),
  'HEAD always partial': set('Upload-Concat', 'partial', 'HEAD'),
  'always deferred': set('Upload-Defer-Length', '1', 'HEAD', 'POST'),
  '409 becomes 400': status(409, 400, 'PATCH'),
  '403 becomes 409': status(403, 409, 'PATCH'),
  'PATCH says 200': status(204, 200, 'PATCH'),
  'DELETE says 200': status(204, 200, 'DELETE'),
  'POST says 200': status(201, 200, 'POST'),
  'POST without Location': drop('Location', 'POST'),
  'POST without offset': drop('Upload-Offset', 'POST'),
  'POST without expiry': drop('Upload-Expires', 'POST'),
  'PATCH without expiry': drop('Upload-Expires', 'PATCH'),
  'expiry in ISO form': rewrite('Upload-Expires', (value) => new Date(value).toISOString(), 'PATCH'),
  'SHA1 in capitals': rewrite('Tus-Checksum-Algorithm', (value) => `${value},SHA1`, 'OPTIONS'),
  'no sha1 in the list': rewrite('Tus-Checksum-Algorithm', (value) => value.replace('sha1', 'x1'), 'OPTIONS'),
  'no list of algorithms': drop('Tus-Checksum-Algorithm'),
} satisfies Record<string, Tamper>

/** Applies every answer-changing fault. */
export function tamper(faults: ReadonlySet<Fault>, method: string, answer: Answer): void {
  for (const [name, change] of Object.entries(tampers)) {
    if (faults.has(name as Fault)) change(method, answer)
  }
}
