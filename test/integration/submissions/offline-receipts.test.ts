// Receipts without the service: `songngan verify-receipt` with the published keys in a file, and nothing else.

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipt } from '../../../src/cli/commands/verify-receipt.ts'
import { CliError, EXIT } from '../../../src/cli/errors.ts'
import { ReceiptKeys } from '../../../src/evidence/receipt-keys.ts'
import { Receipts } from '../../../src/evidence/receipts.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { testedFrom } from '../../support/service.ts'

const ROOT = join(import.meta.dirname, '../../..')
const CLI = testedFrom() === 'dist' ? [join(ROOT, 'dist/src/cli.js')] : ['--import', 'tsx', join(ROOT, 'src/cli.ts')]
type Document = Record<string, unknown> & { receipt: string; claims: Record<string, unknown> }

let h: StillEnvironment
let keys: string
let handIn: Document
let upload: Document
beforeAll(async () => {
  h = await openStillEnvironment()
  await h.put('k4-1')
  const { id } = await h.acceptedUpload('k4-1', 'plan')
  await h.call('POST', '/v1/submissions/k4-1/seal')
  handIn = (await h.call('GET', '/v1/submissions/k4-1/receipt')).body as unknown as Document
  upload = (await h.call('GET', `/v1/uploads/${id}/receipt`)).body as unknown as Document
  keys = await file('keys.json', (await h.call('GET', '/v1/receipts/keys')).body)
})
afterAll(async () => await h.close())

async function file(name: string, content: unknown): Promise<string> {
  const path = join(h.dataDir, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  return path
}
const check = async (content: unknown, jwks = keys) => {
  const held = await file('receipt.json', content)
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const exitCode = await verifyReceipt.prepareAlone([held], { jwks, json: true })(say)
  const json: unknown = JSON.parse(said.join('\n'))
  await verifyReceipt.prepareAlone([held], { jwks })(say)
  return { exitCode, json, text: (said.at(-1) ?? '').split('\n') }
}
const refusal = async (content: unknown, jwks = keys): Promise<CliError> => {
  const thrown: unknown = await check(content, jwks).catch((error: unknown) => error)
  if (thrown instanceof CliError) return thrown
  throw new Error(`not refused: ${JSON.stringify(thrown)}`)
}

it('runs with no configuration, no Redis and no network, and says what the receipt proves', async () => {
  const run = async (...args: string[]) =>
    await promisify(execFile)(process.execPath, [...CLI, 'verify-receipt', ...args], { env: {}, cwd: ROOT })
  const { stdout } = await run(await file('hand-in.json', handIn), '--jwks', keys)
  expect(stdout).toMatch(/^Valid\.\nsubmission portal\/k4-1 · revision 1 · profile tiny@1 · signed 20/)
  expect(stdout).toMatch(/\nhanded in 20[\d-]+T.+Z \(request\) · counts as sent 20/)
  expect(stdout).toMatch(/\nno SHA-256 yet +1000 bytes {2}stored 20.+ {2}plan {2}แผนการสอน\.pdf\n$/)
  const changed = { ...handIn, claims: { ...handIn.claims, revision: 2 } }
  const failure = run(await file('changed.json', changed), '--jwks', keys, '--json')
  await expect(failure).rejects.toMatchObject({ code: EXIT.failed, stderr: expect.stringMatching(/^Not valid: /) })
})

describe('a receipt', () => {
  it('of both kinds is valid as document, as text and as a line of an export', async () => {
    for (const document of [handIn, upload])
      for (const held of [document, ` ${document.receipt}\n`, { receipt: document.receipt, claims: document.claims }])
        expect((await check(held)).json).toMatchObject({ valid: true, claims: document.claims })
    expect((await check(upload)).text).toEqual(['Valid.', expect.stringMatching(/^stored · /), expect.any(String)])
  })

  it('is not valid with a changed character, or beside claims that were not signed', async () => {
    const { receipt, claims } = handIn
    for (const at of [5, receipt.indexOf('.') + 9, receipt.length - 9]) {
      const changed = receipt.slice(0, at) + (receipt[at] === 'A' ? 'B' : 'A') + receipt.slice(at + 1)
      expect(await refusal(changed)).toMatchObject({ exitCode: EXIT.failed, message: /^Not valid/ })
    }
    const refused = await refusal({ receipt, claims: { ...claims, sealedAt: '2026-01-01T00:00:00.000Z' } })
    expect(refused.message).toMatch(/^Not valid/)
  })

  it('is valid with the keys from before and after a rotation, and not with those of another service', async () => {
    const { receiptKeys, receipts } = signer('a-newer-secret-of-thirty-two-characters-')
    const { receipt } = await receipts.sign({ kind: 'stored', portal: 'portal', submission: 'k4-1', slot: 'plan' })
    const rotated = await file('rotated.json', { keys: await receiptKeys.all() })
    for (const held of [receipt, handIn]) expect((await check(held, rotated)).json).toMatchObject({ valid: true })
    expect((await refusal(receipt)).message).toMatch(/^Not valid: .+ Get the newest keys/)
    // A key under the name of another.
    const [mine, theirs] = await receiptKeys.all()
    const swapped = await file('swapped.json', { keys: [{ ...mine, kid: theirs?.kid }] })
    expect((await refusal(handIn, swapped)).message).toMatch(/^Not valid/)
  })

  it('is not proved once its key was withdrawn', async () => {
    const { receiptKeys, receipts } = signer('the-secret-that-leaked-of-thirty-two-characters')
    const { receipt } = await receipts.sign({ kind: 'stored', portal: 'portal', submission: 'k4-1', slot: 'plan' })
    await receiptKeys.withdraw((await receiptKeys.signing()).kid, h.clock.ms)
    const withdrawn = await file('withdrawn.json', { keys: await receiptKeys.all() })
    const { exitCode, text, json } = await check(receipt, withdrawn)
    expect(exitCode).toBe(EXIT.failed)
    expect(text).toEqual([expect.stringMatching(/^Not proved: its key was withdrawn as of 20.+Z\./)])
    expect(json).toMatchObject({ valid: false })
  })
})

describe('what is none', () => {
  it.each(['', 'x', '{', '{}', '{"receipt": 5}'])('is refused in one line: %s', async (content) => {
    const { exitCode, message } = await refusal(content)
    expect([exitCode, message.split('\n')]).toEqual([EXIT.failed, [expect.any(String)]])
  })

  it('is refused as keys too, and a file that is not there is not found', async () => {
    for (const odd of ['{', '[]', '{"keys": 5}'])
      expect((await refusal(handIn, await file('odd.json', odd))).exitCode).toBe(EXIT.failed)
    expect((await refusal(handIn, join(h.dataDir, 'nowhere.json'))).exitCode).toBe(EXIT.notFound)
    for (const [args, values] of [
      [[], { jwks: keys }],
      [['a', 'b'], { jwks: keys }],
      [['a'], {}],
    ] as const)
      expect(() => verifyReceipt.prepareAlone(args, values)).toThrow(expect.objectContaining({ exitCode: EXIT.usage }))
  })
})

/** A service that signs with another secret, over the same store. */
function signer(secret: string) {
  const config = { secrets: { ...h.deps.config.secrets, receipt: [secret] as const } }
  const receiptKeys = new ReceiptKeys({ config, store: h.deps.store })
  return { receiptKeys, receipts: new Receipts({ receiptKeys, clock: h.clock }) }
}
