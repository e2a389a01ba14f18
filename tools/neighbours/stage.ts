// An own installation for one attack: Redis, the built service, one worker, an honest and a hostile portal.

import { randomBytes } from 'node:crypto'
import { type Installation, openInstallation } from '../../test/support/installation.ts'

/** A shipped profile, with the rules that apply to teachers. */
const PROFILE = 'teacher.K2@1'
export const SLOT = 'lesson_plan'
const KEYS = { honest: 'the-key-of-the-honest-portal-1', hostile: 'the-key-of-the-hostile-portal-2' }
/** Poll interval: short enough for 0.01 s precision, long enough to add no load. */
const POLL_MS = 25
const PATIENCE_MS = 600_000

export type Who = keyof typeof KEYS
export type Answer = { status: number; body: Record<string, unknown>; location: string | null; milliseconds: number }
export type Stage = Awaited<ReturnType<typeof openStage>>

export function openStage() {
  const env = {
    API_KEYS: Object.entries(KEYS)
      .map(([name, key]) => `${name}:${key}`)
      .join(','),
    WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
    WEBHOOK_ALLOW_HOSTS: '127.0.0.0/8',
    PROCESSES: 'auto',
    LOG_LEVEL: 'warn',
  }
  return openInstallation({ env, from: 'dist' }, onInstallation)
}

async function onInstallation({ dir, undo, close, running, ...installation }: Installation) {
  // Nobody waits for what is at work on a hostile file.
  undo.add(() => Promise.all(running.map((one) => one.kill('SIGKILL'))))
  const service = await installation.service()
  await installation.worker({ WORKER_LANES: 'validate,inspect,notify,maintain' })
  let submissions = 0

  const ask = async (method: string, url: string, token: string, options: RequestInit = {}): Promise<Answer> => {
    const startedMs = performance.now()
    const headers = { authorization: `Bearer ${token}`, ...options.headers }
    const response = await fetch(new URL(url, service.url), { ...options, method, headers })
    const text = await response.text()
    const milliseconds = performance.now() - startedMs
    const isJson = response.headers.get('content-type')?.includes('json') === true
    const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {}
    return { status: response.status, body, location: response.headers.get('location'), milliseconds }
  }
  const call = async (who: Who, method: string, path: string, body?: object): Promise<Answer> =>
    await ask(method, path, KEYS[who], {
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  const made = (answer: Answer, what: string): Answer => {
    if (answer.status >= 300) throw new Error(`${what} answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }

  return {
    dir,
    ask,
    call,

    /** A new submission of a portal; its id. */
    async submission(who: Who, more: object = {}): Promise<string> {
      const id = `${who}-${++submissions}`
      made(await call(who, 'PUT', `/v1/submissions/${id}`, { profile: PROFILE, ...more }), `PUT ${id}`)
      return id
    },

    /** A ticket, or the refusal. */
    ticket: (who: Who, id: string, slot: string, subject: string) =>
      call(who, 'POST', `/v1/submissions/${id}/tickets`, { slot, subject }),

    /** A session's token that reads a submission. */
    async session(who: Who, id: string, subject: string): Promise<string> {
      const path = `/v1/submissions/${id}/sessions`
      return String(made(await call(who, 'POST', path, { subject, can: ['read'] }), 'session').body['token'])
    },

    /** A tus POST; with `file` the complete file is in its body. */
    async create(ticket: string, length: number, name: string, file?: Uint8Array<ArrayBuffer>): Promise<Answer> {
      const metadata = `filename ${Buffer.from(name).toString('base64')}`
      const headers: Record<string, string> = {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': String(length),
        'Upload-Metadata': metadata,
      }
      if (file !== undefined) headers['Content-Type'] = 'application/offset+octet-stream'
      return await ask('POST', '/files', ticket, { headers, ...(file === undefined ? {} : { body: file }) })
    },

    /** Uploads a file of one person into a new submission; resolves with the upload's id when it is stored. */
    async send(who: Who, subject: string, file: Uint8Array<ArrayBuffer>, more: object = {}): Promise<string> {
      const id = await this.submission(who, more)
      const ticket = made(await this.ticket(who, id, SLOT, subject), 'ticket')
      const sent = made(await this.create(String(ticket.body['ticket']), file.length, 'plan.pdf', file), 'POST')
      return sent.location?.split('/').at(-1) ?? ''
    },

    /** Waits for a verdict; milliseconds. */
    async verdict(who: Who, uploadId: string): Promise<number> {
      const startedMs = performance.now()
      for (;;) {
        const { body } = made(await call(who, 'GET', `/v1/uploads/${uploadId}`), 'GET of an upload')
        if (!['receiving', 'stored', 'checking', 'failed'].includes(String(body['state'])))
          return performance.now() - startedMs
        if (performance.now() - startedMs > PATIENCE_MS) throw new Error(`no verdict on ${uploadId}`)
        await pause(POLL_MS)
      }
    },

    close,
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN
}
