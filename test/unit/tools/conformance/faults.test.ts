// Every MUST check must be able to fail: a reference server with one fault, and the rules that notice it.
import { describe, expect, it } from 'vitest'
import { sections } from '../../../../tools/conformance/sections/index.ts'
import type { ReferenceOptions } from '../../../support/conformance/reference-server.ts'
import { ids, pick, runAgainst } from './run.ts'

type Case = readonly [name: string, broken: ReferenceOptions, ruleIds: readonly string[]]

const fault = (name: NonNullable<ReferenceOptions['faults']>[number], ...ruleIds: string[]): Case => [
  name,
  { faults: [name], maxSizeBytes: 1_048_576 * 4 },
  ruleIds,
]
const concealed = (conceal: readonly string[], ...ruleIds: string[]): Case => [
  `serves ${conceal.join(' and ')} without saying so`,
  { conceal },
  ruleIds,
]

const cases: readonly Case[] = [
  fault('stores nothing', 'headers.core'),
  fault('offset in hexadecimal', 'headers.upload-offset'),
  fault('takes any offset', 'headers.upload-offset'),
  fault('length as a float', 'headers.upload-length'),
  fault('takes any length', 'headers.upload-length', 'creation.length-or-defer'),
  fault('Tus-Version is a word', 'headers.tus-version'),
  fault('no Tus-Resumable', 'headers.tus-resumable'),
  fault('checks no version', 'headers.version-412', 'headers.version-not-processed'),
  fault('no Tus-Version', 'headers.version-412', 'options.version', 'options.version-ignored'),
  fault('hole in Tus-Extension', 'headers.tus-extension'),
  fault('negative Tus-Max-Size', 'headers.tus-max-size'),
  fault('ignores the override', 'override.interpreted', 'override.actual-ignored'),
  fault('HEAD without offset', 'head.offset', 'concatenation.partial-offset'),
  fault('HEAD without length', 'head.length', 'concatenation.length-known', 'concat-unfinished.length-known'),
  fault('HEAD without no-store', 'head.no-store'),
  fault('409 becomes 400', 'patch.offset-409'),
  fault('appends on conflict', 'patch.offset-unmodified'),
  fault('overwrites on conflict', 'patch.offset-unmodified'),
  fault('PATCH says 200', 'patch.status-204'),
  fault('offset one too high', 'patch.new-offset'),
  fault('checks the version of OPTIONS', 'options.version-ignored'),
  fault('checks no maximum', 'creation.too-large-413', 'defer-length.too-large-413'),
  fault('POST says 200', 'creation.status-201'),
  fault('POST without Location', 'creation.location'),
  fault('gives one id to all', 'creation.location'),
  fault('changes the length', 'creation.length-fixed', 'defer-length.length-fixed'),
  fault('always deferred', 'creation.no-defer-header'),
  fault('HEAD with bad metadata', 'metadata.well-formed'),
  fault('HEAD without metadata', 'metadata.echoed'),
  fault('HEAD without deferral', 'defer-length.defer-while-unknown'),
  fault('ignores the length in PATCH', 'defer-length.length-in-patch'),
  fault('POST without offset', 'with-upload.offset'),
  fault('PATCH without expiry', 'expiration.in-patch'),
  fault('POST without expiry', 'expiration.in-post'),
  fault('expiry in ISO form', 'expiration.date'),
  fault('verifies no checksum', 'checksum.verified'),
  fault('keeps bytes of a mismatch', 'checksum.discarded', 'checksum.trailer-discarded'),
  fault('refuses sha1', 'checksum.sha1'),
  fault('no sha1 in the list', 'checksum.sha1'),
  fault('SHA1 in capitals', 'checksum.names'),
  fault('no list of algorithms', 'checksum.list'),
  fault('DELETE says 200', 'termination.status-204'),
  fault('forgets the first part', 'concatenation.length-sum'),
  fault('joins in reverse', 'concatenation.order'),
  fault('hands metadata on', 'concatenation.metadata'),
  fault('403 becomes 409', 'concatenation.patch-403'),
  fault('writes into final uploads', 'concatenation.patch-unmodified'),
  fault('HEAD without offset', 'concatenation.final-offset', 'concat-unfinished.joined-later'),
  fault('HEAD without Upload-Concat', 'concatenation.concat-header'),
  fault('HEAD always partial', 'concatenation.concat-header'),
  concealed(['creation'], 'creation.announced', 'with-upload.needs-creation'),
  concealed(['creation-defer-length'], 'defer-length.announced'),
  concealed(['creation-with-upload'], 'with-upload.announced'),
  concealed(['expiration'], 'expiration.announced'),
  concealed(['checksum'], 'checksum.announced'),
  concealed(['checksum-trailer'], 'checksum.trailer-announced'),
  concealed(['termination'], 'termination.announced'),
  concealed(['concatenation'], 'concatenation.announced'),
  concealed(['concatenation-unfinished'], 'concat-unfinished.announced'),
]

/** Beyond the MUSTs: what is kept of a broken request, and requests that get in each other's way. */
const further: readonly Case[] = [
  fault('forgets broken requests', 'patch.store-most'),
  fault('never lets go', 'robust-interruptions.half-open', 'robust-interruptions.half-open-delete'),
  fault('mixes concurrent requests', 'robust-concurrency.same-offset'),
  fault('takes any offset', 'robust-headers.offset'),
  fault('takes any length', 'robust-headers.length'),
]

describe('the conformance suite against a broken server', () => {
  const seenFailing = new Set<string>()

  it.each(cases)('notices a server that: %s', async (_, broken, ruleIds) => {
    const results = await runAgainst(broken, pick(ruleIds), { timeoutMs: 2_000 })
    const failed = ids(results, 'fail')
    for (const id of failed) seenFailing.add(id)
    for (const ruleId of ruleIds) expect(failed.map(ruleOf)).toContain(ruleId)
  })

  it.each(further)('notices a server that: %s', async (_, broken, ruleIds) => {
    const results = await runAgainst(broken, pick(ruleIds), { takeoverMs: 3_000 })
    for (const ruleId of ruleIds) expect(ids(results, 'fail').map(ruleOf)).toContain(ruleId)
  })

  it('has seen every MUST check fail', () => {
    const all = sections.flatMap((section) =>
      section.rules
        .filter(({ level }) => level === 'MUST')
        .flatMap((rule) => Object.keys(rule.checks).map((title) => `${section.key}.${rule.key}: ${title}`)),
    )
    expect(all.filter((id) => !seenFailing.has(id))).toEqual([])
  })
})

function ruleOf(id: string): string {
  return id.slice(0, id.indexOf(':'))
}
