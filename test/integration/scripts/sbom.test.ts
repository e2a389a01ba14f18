import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')

type Bom = { bomFormat: string; components: { name: string; version: string; purl?: string }[] }

test('npm run sbom names every package of production with its version, and none of the tests', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 ** 2,
  })
  const { bomFormat, components } = JSON.parse(stdout) as Bom
  expect(bomFormat).toBe('CycloneDX')
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  const listed = new Map(components.map(({ name, version }) => [name, version]))
  for (const [name, version] of Object.entries(dependencies)) expect([name, listed.get(name)]).toEqual([name, version])
  expect(components.filter(({ purl }) => purl === undefined)).toEqual([])
  const tests = [...listed.keys()].filter((name) => name in devDependencies && !(name in dependencies))
  // What a package of production asks for as well, as typescript and yaml are.
  expect(tests).not.toContain('vitest')
  expect(tests).not.toContain('esbuild')
})
