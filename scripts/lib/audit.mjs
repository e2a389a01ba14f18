// Compares the report of `npm audit` with the list of exceptions, each with a reason and an end date.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './commands.mjs'
import { say, shout } from './log.mjs'
import { ROOT } from './paths.mjs'

const ALLOWED = join(ROOT, 'scripts/audit-allowed.json')
const PATIENCE_MS = 30_000

/** The report for production dependencies as `{ packages, advisories: [{ id, package, severity, title, url }] }`; undefined: no answer. */
export async function audit() {
  const { output } = await run('npm', ['audit', '--omit=dev', '--json'], {
    quiet: true,
    cwd: ROOT,
    timeoutMs: PATIENCE_MS,
    env: { NPM_CONFIG_LOGLEVEL: 'silent', NPM_CONFIG_FETCH_RETRIES: '1' },
  })
  return readReport(output)
}

/** Parses the output of npm; undefined if it is no report. */
export function readReport(output) {
  let json
  try {
    json = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))
  } catch {
    return undefined // an error message: no network, no such endpoint
  }
  if (json.vulnerabilities === undefined || json.metadata === undefined) return undefined
  const advisories = new Map()
  for (const { via } of Object.values(json.vulnerabilities))
    for (const cause of via) {
      // A string names another package of the report, which has the advisory itself.
      if (typeof cause === 'string') continue
      const id = cause.url?.split('/').pop() ?? String(cause.source)
      const { name, severity, title, url } = cause
      advisories.set(`${name} ${id}`, { id, package: name, severity, title, url })
    }
  return { packages: json.metadata.dependencies?.prod ?? 0, advisories: [...advisories.values()] }
}

/** `allowed`: `[{ id, package, reason, until }]`. Returns open advisories, allowed ones, and exceptions that are no longer needed. */
export function verdict({ advisories }, allowed = JSON.parse(readFileSync(ALLOWED, 'utf8')), nowMs = Date.now()) {
  const excuse = (advisory) =>
    allowed.find(
      ({ id, package: name, until }) => id === advisory.id && name === advisory.package && Date.parse(until) > nowMs,
    )
  return {
    open: advisories.filter((advisory) => excuse(advisory) === undefined),
    allowed: advisories.filter((advisory) => excuse(advisory) !== undefined),
    stale: allowed
      .filter(({ id, package: name }) => !advisories.some((one) => one.id === id && one.package === name))
      .map(({ id }) => id),
  }
}

/** Prints the result; returns whether all is in order, or undefined if there was no answer. */
export async function sayAudit() {
  const report = await audit()
  if (report === undefined) {
    shout('audit skipped: package index unreachable. Known vulnerabilities of the packages were not checked.')
    return undefined
  }
  const { open, allowed, stale } = verdict(report)
  for (const { package: name, id, severity, title } of allowed) say(`allowed: ${name} ${id} (${severity}) ${title}`)
  for (const id of stale) shout(`audit-allowed.json: ${id} is no longer reported; remove it`)
  for (const { package: name, id, severity, title, url } of open) shout(`${severity}: ${name} ${id} ${title} ${url}`)
  say(`${open.length} open, ${allowed.length} allowed, of ${report.packages} packages`)
  return open.length + stale.length === 0
}
