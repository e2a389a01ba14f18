// The commands that the runbook and the alerts tell tired people to type are ones that the command line takes; and the
// page of the console that shows the runbook has everything that is in it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import { htmlOf, runbookPage } from '../../../src/ops/console/runbook.ts'

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
  expect(['run', 'alone']).toContain(parseCommandLine(all).kind)
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
  expect(page).toContain('<ol start="0">')
  expect(page).toContain('<th>meaning</th>')
})

it.each([
  ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['a <img src=x onerror=alert(1)> b', '<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n'],
  ['`<b>`', '<p><code>&lt;b&gt;</code></p>\n'],
  ['[words](javascript:alert(1))', '<p>words</p>\n'],
  ['[words](https://example.org/#a)', '<p>words</p>\n'],
  ['[words](#a"onclick="alert)', '<p><a href="#a&quot;onclick=&quot;alert">words</a></p>\n'],
  ['<https://example.org>', '<p>https://example.org</p>\n'],
  ['![a picture](https://example.org/x.png)', '<p>a picture</p>\n'],
  ['## A "quoted" chapter', '<h2 id="a-&quot;quoted&quot;-chapter">A &quot;quoted&quot; chapter</h2>\n'],
])('%s in the document does nothing to the page', (text, html) => {
  expect(htmlOf(text)).toBe(html)
})
