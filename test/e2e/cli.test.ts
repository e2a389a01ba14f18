// The command line against a running service, and beside it: one set-up, a few commands that follow each other.

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pdfBytes } from '../support/bytes.ts'
import { startChild } from '../support/children.ts'
import { waitFor } from '../support/http.ts'
import { testedFrom } from '../support/service.ts'
import { idOf, tusUser } from '../support/tus.ts'
import { type Installation, startInstallation } from './support/installation.ts'

const ROOT = join(import.meta.dirname, '../..')
const CLI = testedFrom() === 'dist' ? [join(ROOT, 'dist/src/cli.js')] : ['--import', 'tsx', join(ROOT, 'src/cli.ts')]
type Health = { signing: { keys: string; receipts: { signs: string | null; withdrawn: number } } }
const SUBMISSION = 'DPA-2569-000001'
const DEADLINE = '2099-09-30T16:59:00.000Z'

let stack: Installation
let uploadId: string

beforeAll(async () => {
  stack = await startInstallation({ worker: false, env: { PROCESSES: '1' } })
  await stack.call('PUT', `/v1/submissions/${SUBMISSION}`, { profile: 'teacher.K4', deadline: DEADLINE })
  const teacher = await teacherAt('lesson_plan')
  const bytes = pdfBytes(3000)
  const url = await teacher.create({ length: bytes.length, name: 'แผนการสอน.pdf' })
  await teacher.patch(url, 0, bytes)
  uploadId = idOf(url)
})
afterAll(() => stack?.close())

const teacherAt = async (slot: string) => {
  const path = `/v1/submissions/${SUBMISSION}/tickets`
  const { text } = await stack.call('POST', path, { slot, subject: 'ครูสมศรี' })
  return tusUser(stack.service.url, String(JSON.parse(text).ticket))
}

const songngan = (...args: string[]) => songnganWith({}, ...args)

async function songnganWith(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = await startChild(process.execPath, [...CLI, ...args], { env: { ...stack.service.env, ...env } })
  const { code } = await child.exited
  return { code, output: child.output() }
}
const asked = async (...args: string[]) => {
  const { code, output } = await songngan(...args, '--json')
  if (code !== 0) throw new Error(`songngan ${args.join(' ')}: exit code ${code}\n${output}`)
  return JSON.parse(output)
}

test('finds a person, and tells all of the upload, each by itself and for scripts', async () => {
  // The search index follows what happened; it is not part of any answer to the teacher.
  await waitFor(async () => (await songngan('find', 'สมศรี')).code === 0)
  const [found, upload, nobody] = await Promise.all([
    asked('find', 'สมศรี'),
    asked('inspect', uploadId),
    songngan('inspect', 'DPA-0'),
  ])
  expect(found.items).toMatchObject([{ owner: 'school', submissionId: SUBMISSION, subjects: ['ครูสมศรี'] }])
  expect(upload).toMatchObject({
    record: { state: 'stored', receivedBytes: 3000 },
    versions: [{ version: 1, state: 'stored' }],
    jobs: [{ lane: 'validate', state: 'prioritized' }],
    receipt: { claims: { kind: 'stored', upload: uploadId, bytes: 3000 } },
  })
  expect(upload.events.map(({ type }: { type: string }) => type)).toContain('upload.stored')
  expect(nobody).toMatchObject({ code: 3, output: expect.stringContaining('There is no submission DPA-0') })
})

test('closes the door of the running service, lets it drain, and takes both back', async () => {
  const teacher = await teacherAt('teaching_video')
  const post = async () => (await teacher.post({ length: 5000, name: 'film.mp4' })).problem?.code
  const closed = await asked('admission', 'close', '--reason', 'moving disks')
  expect(closed).toMatchObject({ open: false, reason: 'moving disks' })
  await waitFor(async () => (await post()) === 'ADMISSION_CLOSED')
  const before = await asked('drain')
  expect(before).toMatchObject({ accepting: [expect.any(String)], draining: [] })
  const [instance] = before.accepting
  expect(await songngan('drain', instance)).toMatchObject({ code: 1, output: expect.stringContaining('--yes') })
  expect((await fetch(`${stack.service.opsUrl}/health/ready`)).status).toBe(200)
  const drained = await asked('drain', instance, '--yes', '--wait', '30s')
  expect(drained).toMatchObject({ draining: true, inForce: true })
  expect(await asked('drain')).toMatchObject({ accepting: [], draining: [instance] })
  expect((await fetch(`${stack.service.opsUrl}/health/ready`)).status).toBe(503)
  const [undone] = await Promise.all([asked('drain', instance, '--undo', '--wait', '30s'), asked('admission', 'open')])
  expect(undone).toMatchObject({ draining: false, inForce: true })
  await waitFor(async () => (await post()) === undefined)
})

test('moves deadlines once, exports receipts, reconciles and rebuilds', async () => {
  const extend = ['extend-deadline', '--by', '2h', '--profile', 'teacher.K4', '--id', 'outage-1']
  const { moved } = await asked(...extend, '--yes')
  expect(moved).toMatchObject([{ submissionId: SUBMISSION, deadline: DEADLINE }])
  const [again, receipts, rebuilt] = await Promise.all([
    asked(...extend, '--yes'),
    songngan('export-receipts', '--submission', SUBMISSION),
    asked('reconcile', '--rebuild'),
  ])
  expect(again).toMatchObject({ moved: [], already: [{ submissionId: SUBMISSION }] })
  expect(JSON.parse(receipts.output).claims).toMatchObject({
    upload: uploadId,
    deadline: '2099-09-30T18:59:00.000Z',
  })
  expect(rebuilt.rebuilt).toMatchObject({ submissions: 1 })
})

test('withdraws a key of receipts, but never the one that signs', async () => {
  const { signs: kid } = await asked('receipt-keys')
  const signing = async () => ((await (await fetch(`${stack.service.opsUrl}/health/details`)).json()) as Health).signing
  expect(await signing()).toEqual({ keys: 'derived', receipts: { signs: kid, withdrawn: 0 } })
  const withdrawing = ['receipt-keys', '--withdraw', kid, '--from', '1h']
  expect(await songngan(...withdrawing, '--yes')).toMatchObject({ code: 1, output: expect.stringContaining('signs') })
  expect((await songngan('receipt-keys', '--withdraw', 'x', '--from', '1h')).code).toBe(3)
  expect((await songngan('receipt-keys', '--withdraw', kid)).code).toBe(2)
  const rotated = { RECEIPT_SECRET: 'the-secret-after-the-leak-of-thirty-two-characters' }
  const run = async (...args: string[]) => JSON.parse((await songnganWith(rotated, ...args, '--json')).output)
  expect(await run(...withdrawing)).toMatchObject({ kid, dryRun: true })
  expect((await asked('receipt-keys')).signs).toBe(kid)
  expect(await run(...withdrawing, '--yes')).toMatchObject({ kid, dryRun: false })
  const { keys, signs } = await run('receipt-keys')
  expect(signs).not.toBe(kid)
  expect(keys.find((key: { kid: string }) => key.kid === kid)).toMatchObject({ revoked: { reason: 'compromised' } })
  // The running service, which still has the old secret alone, signs nothing any more.
  await waitFor(async () => (await signing()).receipts.withdrawn === 1)
  expect((await signing()).receipts.signs).toBeNull()
})
