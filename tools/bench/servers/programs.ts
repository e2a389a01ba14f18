// Paths of this project's programs, for source and built code.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the project that holds this file. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** Absolute: a server need not run in the project's folder. */
const tsx = () => import.meta.resolve('tsx')

/** Arguments for node that run a TypeScript file of the bench, built or not. `path`: without extension. */
export function nodeScript(path: string): string[] {
  return import.meta.filename.endsWith('.ts') ? ['--import', tsx(), `${path}.ts`] : [`${path}.js`]
}

export type ServiceCommand = { args: string[]; env: Record<string, string> }

/** How node runs the service of a checkout; if it is built, with the flags and malloc settings of production. */
export function serviceCommand(root: string): ServiceCommand {
  const built = join(root, 'dist/src/server.js')
  if (!existsSync(built)) return { args: ['--import', tsx(), join(root, 'src/server.ts')], env: {} }
  const table = JSON.parse(readFileSync(join(root, 'scripts/node-flags.json'), 'utf8')) as {
    service?: string[]
    fromNode24?: { service?: string[] }
    environment?: { service?: Record<string, string> }
  }
  const newer = Number.parseInt(process.versions.node, 10) >= 24 ? (table.fromNode24?.service ?? []) : []
  return { args: [...(table.service ?? []), ...newer, built], env: table.environment?.service ?? {} }
}
