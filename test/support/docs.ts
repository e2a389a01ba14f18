// What the documentation says of the configuration, made from the schema that the service reads it with.
// `npx tsx test/support/docs.ts` writes it into README.md and .env.example; a test fails where they differ.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnvSchema } from '../../src/core/env-schema.ts'

const ROOT = join(import.meta.dirname, '../..')
const BEGIN = '<!-- configuration: made by test/support/docs.ts -->'
const END = '<!-- end of configuration -->'

/** What is said of a variable in the schema; JSON Schema's words. */
type Variable = {
  type: 'string' | 'integer' | 'number' | 'boolean'
  description?: string
  default?: string | number | boolean
  enum?: string[]
}

function variables(): [string, Variable][] {
  return Object.entries(EnvSchema.properties).map(([name, schema]) => [name, schema as Variable])
}

/** A Markdown table: name, default, meaning. */
export function configurationTable(): string {
  const rows = variables().map(([name, { description = '', enum: values, default: fallback }]) => {
    const allowed = values === undefined ? '' : ` (${values.map((value) => `\`${value}\``).join(', ')})`
    return `| \`${name}\` | ${defaultInWords(name, fallback)} | ${(description + allowed).replaceAll('|', '\\|')} |`
  })
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n')
}

function defaultInWords(name: string, fallback: Variable['default']): string {
  if (fallback === undefined || fallback === '') return ''
  const size = name.endsWith('_BYTES') ? ` (${binarySize(Number(fallback))})` : ''
  return `\`${fallback}\`${size}`
}

function binarySize(bytes: number): string {
  const [unit, divisor] = bytes >= 1024 ** 3 ? ['GiB', 1024 ** 3] : ['MiB', 1024 ** 2]
  return `${bytes / (divisor as number)} ${unit}`
}

/** The whole of `.env.example`: everything commented out, so that a copy changes nothing by itself. */
export function envExample(): string {
  const entries = variables().flatMap(([name, { description = '', enum: values, default: fallback }]) => [
    `# ${description}${values === undefined ? '' : ` (${values.join(', ')})`}`,
    `#${name}=${fallback ?? ''}`,
    '',
  ])
  return [
    '# Settings of Songngan. Copy this file to .env, and remove the # in front of the lines that you set.',
    '# Variables of the environment win over this file. An empty value means "not set".',
    '# Generated from src/core/env-schema.ts by `npx tsx test/support/docs.ts`.',
    '',
    ...entries,
    '# Only for docker compose, which also needs API_KEYS and TICKET_SECRET from above,',
    '# and WEBHOOK_SECRET for webhooks. Generate secrets with `openssl rand -hex 32`, and with',
    '# `echo whsec_$(openssl rand -base64 32)` for webhooks.',
    '#REDIS_PASSWORD=',
    '#AWS_ACCESS_KEY_ID=',
    '#AWS_SECRET_ACCESS_KEY=',
    '',
  ].join('\n')
}

/** A page with the table between its two marks replaced by the one of today. Throws where the marks are missing. */
export function withTable(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the table: ${BEGIN} … ${END}`)
  return `${page.slice(0, begin)}${BEGIN}\n${configurationTable()}\n${page.slice(end)}`
}

if (process.argv[1] === import.meta.filename) {
  const readme = join(ROOT, 'README.md')
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8')))
  writeFileSync(join(ROOT, '.env.example'), envExample())
}
