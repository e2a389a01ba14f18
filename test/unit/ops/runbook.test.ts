// The commands that the runbook and the alerts tell tired people to type are ones that the command line takes; and the
// page of the console that shows the runbook has everything that is in it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import { runbookPage } from '../../../src/ops/console/runbook.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** What stands for something that the reader puts in. */
const PLACES: Record<string, string> = {
  NAME: 'transcode',
  TEXT: 'text',
  N: '4',
  P: 'teacher.K4@1',
  INSTANCE: '127.0.0.1:9464',
  ID: 'request-1',
}

const texts = ['docs/runbook.md', 'docker/prometheus/rules.yml'].map((path) => readFileSync(join(ROOT, path), 'utf8'))
const said = texts.flatMap((text) => [...text.matchAll(/`songngan ([^`]+)`/g)].map(([, words = '']) => words))
const commands = [...new Set(said)].map((words) =>
  words
    .replace(/\{\{[^}]*\}\}/g, 'NAME')
    .replace(/[[\]]/g, '')
    .trim(),
)

it('contains commands', () => expect(commands.length).toBeGreaterThan(10))

it.each(commands)('songngan %s', (words) => {
  const args = words.split(/\s+/).map((word) => PLACES[word] ?? word)
  // Bare names in running text are read with what they need.
  const needed: Record<string, string[]> = { find: ['somsri'], inspect: ['request-1'] }
  const all = args.length === 1 ? [...args, ...(needed[args[0] ?? ''] ?? [])] : args
  expect(parseCommandLine(all).kind).toBe('run')
})

it('is a page with an anchor for each link and each alert, and without marks of its source', async () => {
  const page = await runbookPage()
  const wanted = [...`${texts.join()}${page}`.matchAll(/(?:runbook\.md|\(|href=")#([\w-]+)/g)].map(
    ([, anchor]) => anchor,
  )
  expect(wanted.length).toBeGreaterThan(50)
  for (const anchor of new Set(wanted)) expect(page).toContain(`<h2 id="${anchor}">`)
  const outsideCode = page.replace(/<code>.*?<\/code>/gs, '')
  expect(outsideCode).not.toMatch(/\*\*|`|\]\(|^\||^#/m)
  expect(page).toContain('<li>3. Its data is gone: start an empty one')
  expect(page).toContain('<th>reason</th><th>meaning</th>')
})
