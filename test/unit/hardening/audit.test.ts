// How the dependency audit judges what npm reports: an exception has a reason, an end, and goes when it is not needed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SCRIPTS, script } from '../../integration/scripts/script.ts'

type Advisory = { id: string; package: string; severity: string; title: string; url: string }
type Allowed = { id: string; package: string; reason: string; until: string }
type AuditModule = {
  readReport(output: string): { packages: number; advisories: Advisory[] } | undefined
  verdict(
    report: { advisories: Advisory[] },
    allowed: Allowed[],
    nowMs?: number,
  ): { open: Advisory[]; allowed: Advisory[]; stale: string[] }
}
const { readReport, verdict } = await script<AuditModule>('lib/audit.mjs')

const advisory = {
  source: 1,
  name: 'deep',
  title: 'Reads too much',
  severity: 'high',
  range: '<2',
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
}
const NPM = JSON.stringify({
  auditReportVersion: 2,
  vulnerabilities: {
    deep: { name: 'deep', severity: 'high', via: [advisory] },
    above: { name: 'above', severity: 'high', via: ['deep'] },
  },
  metadata: { dependencies: { prod: 140 } },
})

describe('the audit', () => {
  it('reports each vulnerability once, however many packages depend on it', () => {
    expect(readReport(`npm warn something\n${NPM}\n`)).toEqual({
      packages: 140,
      advisories: [
        {
          id: 'GHSA-aaaa-bbbb-cccc',
          package: 'deep',
          severity: 'high',
          title: 'Reads too much',
          url: advisory.url,
        },
      ],
    })
  })

  it.each(['', 'npm error network', '{"message":"ENOTFOUND","error":{}}', '{"error":{"code":"E404"}}'])(
    'rejects %j as a report',
    (output) => expect(readReport(output)).toBeUndefined(),
  )

  it('allows listed exceptions until their end, and reports unused ones', () => {
    const report = readReport(NPM) ?? { advisories: [] }
    const listed = {
      id: 'GHSA-aaaa-bbbb-cccc',
      package: 'deep',
      reason: 'not reachable',
      until: '2030-01-01',
    }
    const now = Date.parse('2029-12-31')
    expect(verdict(report, [], now).open).toHaveLength(1)
    expect(verdict(report, [listed], now)).toMatchObject({
      open: [],
      allowed: [{ package: 'deep' }],
      stale: [],
    })
    expect(verdict(report, [listed], Date.parse('2030-01-02')).open).toHaveLength(1)
    expect(verdict(report, [{ ...listed, package: 'other' }], now)).toMatchObject({
      open: [{ package: 'deep' }],
      stale: ['GHSA-aaaa-bbbb-cccc'],
    })
  })

  it('has a reason and an end for every exception', () => {
    const list = JSON.parse(readFileSync(join(SCRIPTS, 'audit-allowed.json'), 'utf8')) as Allowed[]
    for (const { id, reason, until } of list) {
      expect(reason.length, id).toBeGreaterThan(20)
      expect(Number.isNaN(Date.parse(until)), id).toBe(false)
    }
  })
})
