// Sessions that a portal revokes end in every process, at once and for good, with the tickets and links that they asked for.

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { pdfBytes } from '../../support/bytes.ts'
import { type Environment, OTHER_KEY, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { at, idOf, send, tusUser } from '../../support/tus.ts'

const PERSON = 'ครู 1'
let stack: Environment
/** A second machine of the fleet. */
let other: Environment
beforeEach(async () => {
  stack = await openEnvironment()
  other = await openEnvironment({ redis: stack.redis, dataDir: stack.dataDir })
})
afterEach(async () => {
  await other.leave()
  await stack.close()
})

type Page = { sid: string; token: string; ticket: string }

async function open(id: string, subject: string = PERSON): Promise<Page> {
  const made = await stack.call('POST', `/v1/submissions/${id}/sessions`, {
    body: { subject, can: ['read', 'upload', 'seal'] },
  })
  const token = String(made.body['token'])
  const answer = await stack.call('POST', `/v1/submissions/${id}/tickets`, { token, body: { slot: 'plan' } })
  return { sid: String(made.body['id']), token, ticket: String(answer.body['ticket']) }
}

const revoke = async (path: string, token?: string) => {
  const answer = await stack.call('DELETE', `/v1/submissions/${path}`, token === undefined ? {} : { token })
  return `${answer.status} ${answer.body.code ?? ''}`.trim()
}

/** What each machine says to a session, and to a creation with its ticket. */
async function seen(id: string, { token, ticket }: Pick<Page, 'token' | 'ticket'>): Promise<string[]> {
  const cells: string[] = []
  for (const machine of [stack, other]) {
    const read = await machine.call('GET', `/v1/submissions/${id}`, { token })
    cells.push(read.body.code ?? String(read.status))
    const made = await send('POST', `${machine.url}/files`, {
      authorization: `Bearer ${ticket}`,
      'tus-resumable': '1.0.0',
      'upload-length': 1000,
    })
    cells.push(made.problem?.code ?? String(made.status))
  }
  return cells
}
const GOOD = ['200', '201', '200', '201']
const VOID = ['SESSION_REVOKED', 'TICKET_REVOKED', 'SESSION_REVOKED', 'TICKET_REVOKED']

describe('a portal revokes', () => {
  it('one session, with its tickets, and no other', async () => {
    const id = await stack.submission()
    const [mine, yours] = [await open(id), await open(id)]
    expect(await seen(id, mine)).toEqual(GOOD)
    expect(await revoke(`${id}/sessions/${mine.sid}`)).toBe('204')
    expect(await seen(id, mine)).toEqual(VOID)
    expect(await seen(id, yours)).toEqual(GOOD)
    expect(await revoke(`${id}/sessions/${mine.sid}`)).toBe('204')
  })

  it('a person: sessions and tickets, also those requested by the portal; new ones are valid immediately', async () => {
    const id = await stack.submission()
    const [mine, yours] = [await open(id), await open(id, 'ครู 2')]
    const ticket = await stack.ticket(id, 'plan', { subject: PERSON })
    expect(await revoke(`${id}/sessions?subject=${encodeURIComponent(PERSON)}`)).toBe('204')
    expect(await seen(id, mine)).toEqual(VOID)
    expect(await seen(id, { ...yours, ticket })).toEqual(['200', 'TICKET_REVOKED', '200', 'TICKET_REVOKED'])
    expect(await seen(id, yours)).toEqual(GOOD)
    expect(await seen(id, await open(id))).toEqual(GOOD)
  })

  it('everything of a submission; new ones are valid immediately, and other submissions are not affected', async () => {
    const [id, neighbour] = [await stack.submission(), await stack.submission()]
    const [mine, yours, theirs] = [await open(id), await open(id, 'ครู 2'), await open(neighbour)]
    expect(await revoke(`${id}/sessions`)).toBe('204')
    expect(await seen(id, mine)).toEqual(VOID)
    expect(await seen(id, yours)).toEqual(VOID)
    expect(await seen(neighbour, theirs)).toEqual(GOOD)
    expect(await seen(id, await open(id))).toEqual(GOOD)
  })

  it('durably, also if Redis is lost', async () => {
    const id = await stack.submission()
    const [mine, yours] = [await open(id), await open(id, 'ครู 2')]
    await revoke(`${id}/sessions/${mine.sid}`)
    await revoke(`${id}/sessions?subject=${encodeURIComponent('ครู 2')}`)
    await stack.deps.redis.hot.flushall()
    const fresh = await openEnvironment({ redis: stack.redis, dataDir: stack.dataDir })
    onTestFinished(() => fresh.leave())
    for (const { token } of [mine, yours])
      expect((await fresh.call('GET', `/v1/submissions/${id}`, { token })).body.code).toBe('SESSION_REVOKED')
  })

  it('only its own, and never more than requested', async () => {
    const id = await stack.submission()
    const mine = await open(id)
    expect(await revoke(`${id}/sessions`, OTHER_KEY)).toBe('404 SUBMISSION_UNKNOWN')
    expect(await revoke(`${id}/sessions/${mine.sid}`, OTHER_KEY)).toBe('404 SUBMISSION_UNKNOWN')
    expect(await revoke(`${id}/sessions`, mine.token)).toBe('403 SESSION_SCOPE')
    expect(await revoke(`${id}/sessions?subject=`)).toBe('400 BAD_REQUEST')
    expect(await revoke(`${id}/sessions?subjet=x`)).toBe('400 BAD_REQUEST')
    expect(await revoke(`${id}/sessions/..%2f..`)).toBe('400 BAD_REQUEST')
    expect(await revoke(`${id}/sessions/none`)).toBe('400 BAD_REQUEST')
    expect(await seen(id, mine)).toEqual(GOOD)
  })

  it('with an entry in the security log, without the name of the person', async () => {
    const id = await stack.submission()
    await revoke(`${id}/sessions?subject=${encodeURIComponent(PERSON)}`)
    const [entry] = await stack.deps.securityLog.newest(1)
    expect(entry).toMatchObject({ event: 'session.revoke', by: 'portal portal', on: `submission portal/${id}` })
    expect(JSON.stringify(entry)).not.toContain(PERSON)
  })
})

describe('open requests end', () => {
  it('an event stream at another machine', async () => {
    const id = await stack.submission()
    const mine = await open(id)
    const stream = await fetch(`${other.url}/v1/submissions/${id}/events`, {
      headers: { authorization: `Bearer ${mine.token}` },
    })
    const reader = stream.body?.getReader()
    await reader?.read()
    let ended = false
    const reading = (async () => {
      while (!(await reader?.read())?.done);
      ended = true
    })()
    await revoke(`${id}/sessions/${mine.sid}`)
    await waitFor(() => ended)
    await reading
  })

  it('a PATCH at another machine: its bytes are kept for a new ticket', async () => {
    const id = await stack.submission()
    const mine = await open(id)
    const body = pdfBytes(800_000)
    const user = tusUser(other.url, mine.ticket)
    const upload = await user.create({ length: body.length, name: 'plan.pdf' })
    const half = body.subarray(0, 400_000)
    const patch = user.begin(upload, 0, body.length)
    await patch.write(half)
    await waitFor(async () => (await user.offset(upload)) === half.length)
    await revoke(`${id}/sessions/${mine.sid}`)
    expect((await patch.reply).problem?.code).toBe('TICKET_REVOKED')
    const again = tusUser(stack.url, (await open(id)).ticket)
    expect(await again.offset(at(stack.url, upload))).toBe(half.length)
  })
})

describe('links', () => {
  it('requested by a page end with its session, however it is revoked; those of a portal stay valid', async () => {
    const id = await stack.submission()
    const bytesOfPlan = pdfBytes(5000)
    const user = tusUser(stack.url, await stack.ticket(id, 'plan'))
    const whole = await user.create({ length: bytesOfPlan.length, name: 'plan.pdf' })
    await user.patch(whole, 0, bytesOfPlan)
    const link = async (token?: string) => {
      const body = { names: ['original'], expiresInSeconds: 604_800 }
      const path = `/v1/uploads/${idOf(whole)}/links`
      const answer = await stack.call('POST', path, token === undefined ? { body } : { body, token })
      const [item] = answer.body['items'] as { url: string }[]
      expect(item?.url).not.toContain(encodeURIComponent(PERSON))
      return new URL(item?.url ?? '').pathname
    }
    const status = async (path: string) => {
      const reply = await send('GET', other.url + path, {})
      return reply.problem?.code ?? String(reply.status)
    }
    const portals = await link()
    for (const how of [
      (page: Page) => `${id}/sessions/${page.sid}`,
      () => `${id}/sessions?subject=${encodeURIComponent(PERSON)}`,
      () => `${id}/sessions`,
    ]) {
      const page = await open(id)
      const mine = await link(page.token)
      const yours = await link((await open(id, 'ครู 2')).token)
      expect([await status(mine), await status(yours)]).toEqual(['200', '200'])
      await revoke(how(page))
      expect(await status(mine)).toBe('LINK_REVOKED')
      expect(await status(yours)).toBe(how(page).endsWith('/sessions') ? 'LINK_REVOKED' : '200')
      expect(await status(portals)).toBe('200')
    }
  })
})
