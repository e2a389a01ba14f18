// The entry as a user starts it: what it prints, what it writes, how it ends.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Fault } from '../../../support/conformance/faults.ts'
import { startReferenceServer } from '../../../support/conformance/reference-server.ts'

const entry = fileURLToPath(new URL('../../../../tools/conformance/main.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
afterAll(() => rmSync(directory, { recursive: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function start(...args: string[]): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', entry, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

async function startAgainst(faults: readonly Fault[], ...args: string[]): Promise<Ended> {
  const server = await startReferenceServer({ faults })
  try {
    return await start('--url', server.url.href, ...args)
  } finally {
    await server.close()
  }
}

describe('the conformance command', () => {
  it('ends with 0 where no MUST is broken, and writes the JSON report', async () => {
    const jsonFile = join(directory, 'out.json')
    const ended = await startAgainst([], '--only', 'HEAD', '--json', jsonFile)
    expect(ended.stdout).toContain('No MUST is broken.')
    expect(ended.code).toBe(0)
    const report = JSON.parse(readFileSync(jsonFile, 'utf8'))
    expect(report).toMatchObject({ protocol: '1.0.0', server: { versions: ['1.0.0'] } })
    expect(report.totals.MUST.fail).toBe(0)
    expect(report.results.length).toBe(
      Object.values<Record<string, number>>(report.totals).reduce(
        (sum, row) => sum + Object.values(row).reduce((a, b) => a + b, 0),
        0,
      ),
    )
  })

  it('ends with 1 where a MUST is broken, and shows what came', async () => {
    const ended = await startAgainst(['HEAD without no-store'], '--only', 'Cache-Control')
    expect(ended.stdout).toMatch(/FAIL +on a new upload/)
    expect(ended.stdout).toContain('expected  Cache-Control: no-store')
    expect(ended.code).toBe(1)
  })

  it('ends with 2 where it cannot run', async () => {
    const none = await start('--url', 'http://127.0.0.1:9/')
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(none.stderr).toContain('No tus server answers')
    expect((await start('--nosuch')).code).toBe(2)
    expect((await startAgainst([], '--only', 'no such check')).code).toBe(2)
  })

  it('lists the sentences', async () => {
    const ended = await start('--list')
    expect(ended.stdout).toContain('not tested: binds the client')
    expect(ended.code).toBe(0)
  })
})
