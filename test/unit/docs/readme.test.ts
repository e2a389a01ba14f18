// The documentation says what the code does: configuration, commands, files, links, and the settings of clients.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { momentMs } from '../../../src/cli/values.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { EnvSchema } from '../../../src/core/env-schema.ts'
import { RETRY_DELAYS_MS } from '../../../tools/lib/tus-upload.ts'
import { configurationTable, envExample, withTable } from '../../support/docs.ts'

const ROOT = join(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readme = read('README.md')
const REMEDY = 'run `npx tsx test/support/docs.ts`'

describe('configuration', () => {
  it('README.md has the current table', () => {
    expect(withTable(readme) === readme, REMEDY).toBe(true)
  })
  it('.env.example is current', () => {
    expect(envExample() === read('.env.example'), REMEDY).toBe(true)
  })
  it('both name every variable with its default', () => {
    for (const name of Object.keys(EnvSchema.properties)) {
      expect(configurationTable()).toContain(`| \`${name}\` |`)
      expect(envExample()).toMatch(new RegExp(`^#${name}=`, 'm'))
    }
    expect(configurationTable()).toContain('| `MAX_UPLOAD_BYTES` | `10737418240` (10 GiB) |')
  })
  it('a page without the marks of the table is an error', () => {
    expect(() => withTable('# A page')).toThrow('no place')
  })
  it('.env.example with every # removed is still a valid configuration, once secrets are filled in', () => {
    const values = Object.fromEntries(
      [...envExample().matchAll(/^#([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )
    const secrets = {
      REDIS_URL: 'redis://127.0.0.1:6379',
      TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
    }
    expect(loadConfig({ ...values, ...secrets }).http.port).toBe(8080)
  })
})

describe('README.md', () => {
  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...readme.matchAll(/npm (?:run ([a-z:]+)|(start|test)\b)/g)].map(([, run, own]) => run ?? own)
    expect(named.length).toBeGreaterThan(5)
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path)
    expect(links.length).toBeGreaterThan(3)
    for (const path of links) expect(existsSync(join(ROOT, path)), path).toBe(true)
  })
  it('links to headings that exist', () => {
    const slugs = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => slug(title))
    for (const [, anchor] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(slugs).toContain(anchor)
  })
  it.each(['README.md', 'docs/integrating.md'])('%s: commands to copy work on any day', (path) => {
    const commands = [...read(path).matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text)
    expect(commands.join('\n')).not.toMatch(/\b20\d\d-\d\d-\d\d/)
    for (const [line] of commands.join('\n').matchAll(/\$\(date [^)]*\)/g)) {
      const made = execFileSync('sh', ['-c', `echo ${line}`], { encoding: 'utf8' }).trim()
      expect(momentMs(made, line, 0)).toBeGreaterThan(Date.now())
    }
  })
})

describe('examples', () => {
  it.each(['tus-js-client', 'uppy'])('%s has the retries of the load tools', (name) => {
    const [, delays = ''] = /RETRY_DELAYS_MS = \[([^\]]+)\]/.exec(read(`examples/${name}/page.js`)) ?? []
    expect(delays.split(',').map((delay) => Number(delay.replaceAll('_', '')))).toEqual(RETRY_DELAYS_MS)
  })
  it.each(['examples/README.md', 'docs/integrating.md'])('%s links to files that exist', (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => to)
    expect(links.length).toBeGreaterThan(3)
    for (const to of links) expect(existsSync(join(ROOT, dirname(path), to)), to).toBe(true)
  })
})

/** As GitHub makes them. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
