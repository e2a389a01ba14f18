import { readFile } from 'node:fs/promises'
import { isBuiltin, SourceMap } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { SCRIPTS, script } from './script.ts'

type Output = { path: string; contents: Uint8Array }

const { bundlePrograms } = await script<{ bundlePrograms: () => Promise<Output[]> }>('lib/bundle.mjs')
const ROOT = join(SCRIPTS, '..')
/** What a module loads at once; esbuild writes one form of it. */
const IMPORT = /^(?:import|export|}) ?(?:.* from )?["'](\S+)["'];?$/gm

let texts: Map<string, string>
beforeAll(async () => {
  const outputs = await bundlePrograms()
  texts = new Map(outputs.map(({ path, contents }) => [path, Buffer.from(contents).toString()]))
})

/** The files that a start loads, and the packages that it loads beside them. */
function loadedBy(program: string) {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    const text = texts.get(path)
    if (text === undefined) throw new Error(`${path} is not in the output`)
    if (files.has(path)) return
    files.add(path)
    for (const [, name = ''] of text.matchAll(IMPORT)) {
      if (name.startsWith('.')) visit(join(dirname(path), name))
      else if (!isBuiltin(name)) packages.add(name)
    }
  }
  visit(join(ROOT, 'dist', program))
  return { files: [...files], packages: [...packages] }
}

test.each(['src/server.js', 'src/cli.js', 'workers/main.js', 'workers/alone.js'])(
  '%s starts with a few files: without packages beside them, the S3 SDK and OpenTelemetry',
  (program) => {
    const { files, packages } = loadedBy(program)
    expect(packages).toEqual([])
    expect(files.length).toBeGreaterThan(2)
    expect(files.length).toBeLessThan(40)
  },
)

test('a place in a bundle is found in its source', async () => {
  const declaration = 'function exitOnStartError('
  const isDeclaration = (line: string) => line.includes(declaration)
  const [path = '', text = ''] =
    [...texts].find(([name, code]) => name.endsWith('.js') && code.includes(declaration)) ?? []
  expect(text).toContain(`//# sourceMappingURL=${basename(path)}.map`)
  const map = new SourceMap(JSON.parse(texts.get(`${path}.map`) ?? 'null'))
  const source = join(ROOT, 'src/core/start-error.ts')
  const found = map.findEntry(text.split('\n').findIndex(isDeclaration), 3)
  if (!('originalSource' in found)) throw new Error('no entry')
  expect(join(dirname(path), found.originalSource)).toBe(source)
  expect(found.originalLine).toBe((await readFile(source, 'utf8')).split('\n').findIndex(isDeclaration))
})

test('classes keep their names, which BullMQ compares; functions are not named again each time that they are made', () => {
  const all = [...texts.values()].join('\n')
  expect(all).toMatch(
    /class _Cluster [^\n]*\n\s*static \{\n\s*Object\.defineProperty\(this, "name", \{ value: "Cluster"/,
  )
  expect(all).toContain('var __name = (target) => target;')
  expect(all).not.toContain('__defProp(target, "name"')
})
