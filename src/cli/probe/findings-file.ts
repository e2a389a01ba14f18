// What a probe has found and not delivered yet, in one file that survives its end at any moment.

import { open, readFile, rename } from 'node:fs/promises'

/** Times by the server's clock, RFC 3339. */
export type Finding = { from: string; to: string; reason: string }

export type Findings = {
  /** Goes on. */
  open: { from: string; reason: string } | null
  waiting: readonly Finding[]
  /** The service took these for wrong; kept for people. */
  refused: readonly Finding[]
}

const NONE: Findings = { open: null, waiting: [], refused: [] }

/** Throws for a file that is not one of a probe: it is never written over. */
export async function readFindings(path: string): Promise<Findings> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE
    throw error
  }
  const found = JSON.parse(text) as Partial<Findings>
  if (!Array.isArray(found.waiting)) throw new Error(`${path} is not a file of songngan probe`)
  return { ...NONE, ...found }
}

/** Durable when it resolves. */
export async function writeFindings(path: string, findings: Findings): Promise<void> {
  const staged = `${path}.new`
  const file = await open(staged, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(findings, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(staged, path)
}
