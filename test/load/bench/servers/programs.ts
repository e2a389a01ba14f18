// Where programs of this project lie, whether this file runs from source or as built.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Store } from '../model.ts'

/** The folder of the project that holds this file. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** Absolute: a server need not run in the project's folder. */
const tsx = () => import.meta.resolve('tsx')

/** Arguments for node that run a TypeScript file of the bench, built or not. `path`: without its ending. */
export function nodeScript(path: string): string[] {
  return import.meta.filename.endsWith('.ts') ? ['--import', tsx(), `${path}.ts`] : [`${path}.js`]
}

/** Arguments for node that run the service of a checkout, with the V8 flags of production where it is built. */
export function serviceArguments(root: string, store: Store): string[] {
  const built = join(root, 'dist/src/server.js')
  if (!existsSync(built)) return ['--import', tsx(), join(root, 'src/server.ts')]
  const table = JSON.parse(readFileSync(join(root, 'scripts/node-flags.json'), 'utf8')) as {
    service?: string[]
    serviceOnDisk?: string[]
    fromNode24?: { service?: string[] }
  }
  const newer = Number.parseInt(process.versions.node, 10) >= 24 ? (table.fromNode24?.service ?? []) : []
  const flags = (store === 'local' ? table.serviceOnDisk : undefined) ?? table.service ?? []
  return [...flags, ...newer, built]
}
