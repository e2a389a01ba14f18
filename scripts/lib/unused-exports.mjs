// Finds exports of src/ and workers/ that are never used outside tests: no file of the product or the tools imports them,
// and their own file does not use them.

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from './paths.mjs'
import { filesUnder } from './stamp.mjs'

const IMPORT = /(?:import|export)\s+(?:type\s+)?(\*|\{[^}]*\})[^'{}]*?from\s+'(\.[^']+)'/g
const DYNAMIC = /import\('(\.[^']+)'\)/g
const EXPORT = /^export\s+(?:async\s+)?(?:abstract\s+)?(?:const|let|function\*?|class|type|interface)\s+(\w+)/gm

const isModule = (file) => /\.(ts|js|mjs)$/.test(file)
const namesIn = (clause) =>
  clause
    .slice(1, -1)
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/s, ''),
    )

/** `path: name` of each, by the text of the files: a namespace or dynamic import counts as a use of all exports. */
export function unusedExports(root = ROOT) {
  const users = ['src', 'workers', 'tools', 'scripts', 'test/support']
  const files = users.flatMap((folder) => filesUnder(join(root, folder))).filter(isModule)
  const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
  const used = new Set()
  for (const [file, text] of texts) {
    for (const [, clause, path] of text.matchAll(IMPORT))
      for (const name of clause === '*' ? ['*'] : namesIn(clause)) used.add(`${join(dirname(file), path)}#${name}`)
    for (const [, path] of text.matchAll(DYNAMIC)) used.add(`${join(dirname(file), path)}#*`)
  }
  const isUsed = (file, text, name) =>
    used.has(`${file}#${name}`) ||
    used.has(`${file}#*`) ||
    (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1
  return [...texts]
    .filter(([file]) => /^(src|workers)\//.test(relative(root, file)))
    .flatMap(([file, text]) =>
      [...text.matchAll(EXPORT)]
        .filter(([, name]) => !isUsed(file, text, name))
        .map(([, name]) => `${relative(root, file)}: ${name}`),
    )
}
