// After DELETE of a submission nothing that a person, a portal or a file said is left: every key of Redis, every object of the
// store and every line of the log is looked through for every value that went in.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LANES } from '../../../src/jobs/contract.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { FILING_PROFILE, type Filing, fileEverything, PERSONAL } from '../../support/filing.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { findTraces, keptInBucket, keptInDirectory, keptInRedis } from '../../support/traces.ts'

const ID = 'filing-1'
const OTHER = 'filing-2'

/** Names of the texts that were found, and everywhere that they were found. */
const namesIn = (traces: string[]) => [...new Set(traces.map((trace) => trace.slice(0, trace.indexOf(':'))))].sort()

overBothStores((kind) => {
  let stack: Environment
  let portal: Receiver
  let filing: Filing

  const keptInStore = async () =>
    stack.s3 === undefined ? await keptInDirectory(stack.dataDir) : await keptInBucket(stack.s3)
  const traces = async (texts: Record<string, string> = PERSONAL) =>
    findTraces([...(await keptInRedis(stack.deps.redis.hot)), ...(await keptInStore())], texts)

  beforeAll(async () => {
    portal = await startReceiver()
    portal.reply = () => ({ status: 500 })
    stack = await openEnvironment({
      store: kind,
      lanes: LANES.join(),
      profiles: [FILING_PROFILE],
      env: { WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 9).toString('base64')}`, WEBHOOK_ALLOW_PRIVATE: 'true' },
    })
    await stack.start()
    filing = await fileEverything(stack, ID, portal.url)
  })
  afterAll(async () => {
    await stack?.close()
    await portal?.close()
  })

  describe('erasure of a submission', () => {
    it('has something to erase: every value is found before, in Redis and in the store', async () => {
      // Who opens a session stands in its token alone.
      const stored = Object.keys(PERSONAL).filter((name) => name !== 'sessionSubject')
      // Bytes of files do not go through Redis.
      const inRedis = stored.filter((name) => name !== 'content')
      expect(namesIn(findTraces(await keptInRedis(stack.deps.redis.hot), PERSONAL))).toEqual(inRedis.sort())
      expect(namesIn(findTraces(await keptInStore(), PERSONAL))).toEqual(stored.sort())
    })

    it('leaves nothing of it in Redis or in the store', async () => {
      expect((await stack.call('DELETE', `/v1/submissions/${ID}`)).status).toBe(204)
      expect(await traces()).toEqual([])
      expect((await stack.deps.heads.fromStore('portal', ID))?.erasedAt).toBeDefined()
    })

    it('leaves of the submission its name and times, and of each upload where it stood', async () => {
      const { heads, uploads } = stack.deps
      const { nonce, committedAt, createdAt, updatedAt, erasedAt, ...left } =
        (await heads.fromStore('portal', ID)) ?? {}
      expect(left).toEqual({
        schema: 1,
        version: expect.any(Number),
        owner: 'portal',
        id: ID,
        profile: 'filing@1',
        opensAt: null,
        deadline: null,
        graceSeconds: 0,
        uniqueKey: null,
        callbackUrl: null,
        metadata: {},
        slotMetadata: {},
        state: 'deleted',
        revision: 2,
        revisions: [],
        sequence: expect.any(Number),
        event: null,
      })
      const records = await Promise.all(filing.uploads.map((id) => uploads.fromStore(id)))
      expect(records.map((record) => record?.state)).toEqual(filing.uploads.map(() => 'cancelled'))
      const values = records.flatMap((record) => Object.entries(record ?? {}))
      const told = values.filter(([, value]) => value !== null && JSON.stringify(value) !== '{}' && value !== false)
      const names = [...new Set(told.filter(([, value]) => JSON.stringify(value) !== '[]').map(([name]) => name))]
      expect(names.sort()).toEqual(
        'committedAt createdAt declared erasedAt id lanes maxBytes nonce object owner receivedBytes revision schema sequence slot state submissionId version'.split(
          ' ',
        ),
      )
      expect(records.map((record) => record?.declared)).toEqual(
        filing.uploads.map(() => ({ filename: null, type: null, bytes: null })),
      )
    })

    it('takes no attempt of somebody whose page is still open', async () => {
      const answer = await filing.person.post({ length: 5, name: `${PERSONAL.filename}-late.pdf` })
      expect(answer.problem?.code).toBe('SUBMISSION_DELETED')
      await stack.deps.attempts.flush()
      expect(await traces()).toEqual([])
    })

    it('stands after a loss of Redis', async () => {
      await stack.deps.redis.hot.flushall()
      await stack.deps.rebuilder.run()
      await stack.deps.reconciler.tick()
      expect(await traces()).toEqual([])
      const { status, body } = await stack.call('GET', `/v1/submissions/${ID}`)
      expect({ status, code: body.code }).toEqual({ status: 410, code: 'SUBMISSION_DELETED' })
    })

    it('leaves receipts that people hold as good as they were', async () => {
      const verified = await stack.call('POST', '/v1/receipts/verify', { body: { receipt: filing.jws } })
      expect(verified).toMatchObject({ status: 200, body: { valid: true, claims: { upload: filing.first } } })
    })

    it('logs nothing of it', () => {
      const logged = stack.lines.map((line, i) => ({ place: `line ${i}: ${line}`, bytes: Buffer.alloc(0) }))
      expect(logged.length).toBeGreaterThan(20)
      expect(findTraces(logged, PERSONAL)).toEqual([])
    })
  })

  describe('erasure of one upload', () => {
    // What the submission or its person said stays with them.
    const { filename, fingerprint, tusMetadata, content } = PERSONAL

    it('leaves nothing of it in Redis or in the store, and all others', async () => {
      await stack.start()
      const other = await fileEverything(stack, OTHER, portal.url)
      const every = { filename, fingerprint, tusMetadata, content }
      // Those that are sealed, or that a seal has listed, are evidence.
      const sealed = await stack.call('DELETE', `/v1/uploads/${other.first}`)
      expect({ status: sealed.status, code: sealed.body.code }).toEqual({ status: 409, code: 'SUBMISSION_SEALED' })
      const gone = other.uploads.slice(1)
      const own = Object.fromEntries(gone.map((id, i) => [id, `${filename}-${i + 2}.pdf`]))
      expect(namesIn(await traces(own))).toEqual([...gone].sort())
      for (const id of gone) expect((await stack.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
      expect(await traces(own)).toEqual([])
      expect(namesIn(await traces(every))).toEqual(['content', 'filename', 'fingerprint'])
      const shown = await stack.call('GET', `/v1/uploads/${other.final}`)
      expect(shown).toMatchObject({ status: 200, body: { state: 'cancelled', declared: { filename: null } } })
      expect((await stack.call('DELETE', `/v1/uploads/${other.final}`)).status).toBe(204)
    })
  })
})
