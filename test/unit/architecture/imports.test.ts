// The modules that each module may import (docs/architecture.md explains them), and no import cycles.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const DOMAIN = ['core', 'http', 'storage', 'records', 'audit', 'jobs', 'lifecycle', 'submissions']

/** Module → the modules that it may import. Files in `src` itself combine modules and are not listed. */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  media: [],
  storage: ['core'],
  http: ['core', 'storage'],
  records: ['core', 'storage'],
  audit: ['core', 'records'],
  jobs: ['core', 'records'],
  events: ['core', 'http', 'storage', 'records', 'jobs'],
  lifecycle: ['core', 'storage', 'records', 'jobs'],
  auth: ['core', 'records', 'audit'],
  submissions: ['core', 'http', 'storage', 'records', 'audit', 'jobs', 'lifecycle'],
  evidence: [...DOMAIN],
  erasure: [...DOMAIN, 'events', 'evidence'],
  api: [...DOMAIN, 'auth', 'evidence', 'erasure'],
  uploads: [...DOMAIN, 'auth', 'evidence'],
  delivery: [...DOMAIN, 'events', 'auth'],
  portal: ['core', 'http', 'upload-element'],
  'upload-element': ['core', 'media', 'submissions', 'api'],
  ops: ['core', 'http', 'storage', 'records', 'audit', 'jobs'],
  support: [...DOMAIN, 'evidence', 'ops', 'deps.ts'],
  cli: [...DOMAIN, 'events', 'evidence', 'ops', 'support', 'deps.ts'],
  workers: [...DOMAIN, 'media', 'events', 'ops', 'support', 'deps.ts'],
}

const files = ['src', 'workers', 'clients/upload-element/src'].flatMap((top) =>
  readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => join(top, name)),
)
const importsOf = new Map(
  files.map((file) => {
    const found = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']*)'/g)
    return [file, [...found].map(([, path = '']) => join(dirname(file), path))] as const
  }),
)

function moduleOf(file: string): string {
  const [top = '', module = ''] = file.split('/')
  return top === 'src' || top === 'clients' ? module : top
}

/** The first way that leads from a file back to itself. */
function findCycle(): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of importsOf.get(file) ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle !== undefined) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of files) {
    const cycle = visit(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

describe('imports', () => {
  it('follow the table of modules', () => {
    const forbidden = files.flatMap((file) => {
      const allowed = ALLOWED[moduleOf(file)]
      if (allowed === undefined) return []
      return (importsOf.get(file) ?? [])
        .filter((target) => moduleOf(target) !== moduleOf(file) && !allowed.includes(moduleOf(target)))
        .map((target) => `${file} → ${target}`)
    })
    expect(files.length).toBeGreaterThan(200)
    expect(forbidden).toEqual([])
  })

  it('form no cycle, including type imports', () => {
    expect(findCycle()).toBeUndefined()
  })
})
