// Exports of src/, workers/ and the upload element that no other file of the product or of the tools imports. What only tests use is tested and
// never run, or is an inner function: then its comment says @internal, for tests alone. What nobody imports is private.

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ROOT } from './paths.mjs'
import { filesUnder } from './stamp.mjs'

const IMPORT = /(?:import|export)\s+(?:type\s+)?(\*|\{[^}]*\})[^'{}]*?from\s+'(\.[^']+)'/g
const DYNAMIC = /import\('(\.[^']+)'\)/g
const EXPORT = /^export\s+(?:async\s+)?(?:abstract\s+)?(const|let|function\*?|class|type|interface)\s+(\w+)/gm

/** At the end of the comment above an export that tests alone import. */
const INTERNAL = /@internal\s*\*\/\s*$/

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

/** `path: name` of each, by the text of the files: a namespace or a dynamic import counts as a use of everything. */
export function unusedExports(root = ROOT) {
  const users = ['src', 'workers', 'clients/upload-element/src', 'tools', 'scripts']
  const files = users.flatMap((folder) => filesUnder(join(root, folder))).filter(isModule)
  const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
  const used = new Set()
  for (const [file, text] of texts) {
    for (const [, clause, path] of text.matchAll(IMPORT))
      for (const name of clause === '*' ? ['*'] : namesIn(clause)) used.add(`${join(dirname(file), path)}#${name}`)
    for (const [, path] of text.matchAll(DYNAMIC)) used.add(`${join(dirname(file), path)}#*`)
  }
  const isUsed = (file, name) => used.has(`${file}#${name}`) || used.has(`${file}#*`)
  // A type that a signature of its file names may be named by tests, too.
  const isNamed = (text, kind, name) =>
    ['type', 'interface'].includes(kind) && (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1
  return [...texts]
    .filter(([file]) => /^(src|workers|clients\/upload-element)\//.test(relative(root, file)))
    .flatMap(([file, text]) =>
      [...text.matchAll(EXPORT)]
        .filter(
          ({ 1: kind, 2: name, index }) =>
            !isUsed(file, name) && !isNamed(text, kind, name) && !INTERNAL.test(text.slice(0, index)),
        )
        .map(({ 2: name }) => `${relative(root, file)}: ${name}`),
    )
}
