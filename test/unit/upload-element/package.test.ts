// The element as a package: what a browser has to load for it, and that its page of documentation says what it has.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { script } from '../../integration/scripts/script.ts'
import { elementPart } from '../portal/assets.ts'

type Built = { path: string; bytes: Buffer }
const { elementFiles, gzippedBytes } = await script<{
  elementFiles: (dist: string) => Promise<Built[]>
  gzippedBytes: (files: Built[]) => number
}>('lib/clients/upload-element.mjs')
const { PARTS } = await elementPart<{ PARTS: string[] }>('view/parts.js')

const PACKAGE = join(import.meta.dirname, '../../../clients/upload-element')
const MOST_BYTES = 60_000
const read = (path: string) => readFileSync(join(PACKAGE, path), 'utf8')
const readme = read('README.md')
const all = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort()

it('is one script of at most 60 kB, with its styles in it', async () => {
  const files = await elementFiles(join(PACKAGE, 'dist'))
  expect(files.map(({ path }) => basename(path)).sort()).toEqual([
    'songngan-upload.css',
    'songngan-upload.d.ts',
    'songngan-upload.js',
  ])
  expect(gzippedBytes(files)).toBeLessThanOrEqual(MOST_BYTES)
  const [text = ''] = files.filter(({ path }) => path.endsWith('.js')).map(({ bytes }) => bytes.toString())
  expect(text).toContain('--songngan-accent')
  expect(text).not.toMatch(/\bimport\s*[("'{]|innerHTML|\beval\(|sourceMappingURL/)
})

it('knows of the page around it nothing but what it is given', () => {
  const files = readdirSync(join(PACKAGE, 'src'), { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    const code = read(join('src', file)).replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')
    expect(code, file).not.toMatch(
      /document\.(getElementById|querySelector|body|title|cookie)|\b(location|history)\.\w/,
    )
  }
})

it('has a page that names every event, attribute, property and part', () => {
  const told = all(read('src/model/telling.js'), /#tell\('(\w+)'/g)
  expect(told.length).toBeGreaterThan(4)
  expect(all(readme, /^\| `songngan-(\w+)`/gm)).toEqual(told)
  expect(all(read('songngan-upload.d.ts'), /^ {2}'songngan-(\w+)':/gm)).toEqual(told)
  expect(all(readme, /^\| `([a-z-]+)` \| `\w+` \|/gm)).toEqual(
    all(/observedAttributes = \[.*\]/.exec(read('src/element.js'))?.[0] ?? '', /'([a-z-]+)'/g),
  )
  expect(all(readme, /`(--songngan-[a-z-]+)`/g)).toEqual(all(read('src/style/tokens.css'), /(--songngan-[a-z-]+)/g))
  const parts = /^Parts, for [^:]*::part\(…\)`:(.*?)\. Everything/ms.exec(readme)?.[1] ?? ''
  expect(all(parts, /`(\w+)`/g)).toEqual(PARTS)
})
