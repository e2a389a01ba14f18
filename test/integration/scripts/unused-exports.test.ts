import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { script } from './script.ts'

const { unusedExports } = await script<{ unusedExports: (root: string) => string[] }>('lib/unused-exports.mjs')

test('exports that are used nowhere are found, also if types or tests import them', async () => {
  const root = await mkdtemp(join(tmpdir(), 'songngan-exports-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const files = {
    'src/a.ts': [
      'export const tested = 1',
      'export type Used = string',
      'export function own() {}\nown()',
      'export async function renamed() {}',
      'export class Nobody {}',
      '/** Tried by itself. @internal */\nexport const inner = 1',
      'export type Named = string\nexport const named: Named = String(inner)',
    ],
    'src/all.ts': ['export const one = 1'],
    'src/late.ts': ['export const late = 1'],
    'workers/b.ts': [
      "import { type Used, named, renamed as other } from '../src/a.ts'",
      "import * as all from '../src/all.ts'",
      "const { late } = await import('../src/late.ts')",
      'console.log(other, named, all, late as Used)',
    ],
    'test/unit/a.test.ts': ["import { tested } from '../../src/a.ts'"],
  }
  for (const [name, lines] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), lines.join('\n'))
  }
  expect(unusedExports(root)).toEqual(['src/a.ts: tested', 'src/a.ts: own', 'src/a.ts: Nobody'])
})
